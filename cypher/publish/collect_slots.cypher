// How many slots were removed that show nothing, hold nothing and that no writer has taken?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// What a writer leaves that died before its first publication. Writing `asked` locks the slot before it is asked again.
MATCH (bare:Slot)
WHERE bare.run IS NULL AND NOT EXISTS { (bare)-[:PUBLISHED]->() } AND NOT EXISTS { MATCH (v:GraphVersion {slot: bare.key}) }
WITH bare LIMIT $batch
SET bare.asked = datetime.realtime()
WITH bare.key AS key
MATCH (slot:Slot {key: key})
WHERE slot.run IS NULL AND NOT EXISTS { (slot)-[:PUBLISHED]->() } AND NOT EXISTS { MATCH (v:GraphVersion {slot: slot.key}) }
DETACH DELETE slot
RETURN count(*) AS removed
