// Which versions does this slot leave, now that it shows a version that another slot published?
// mode: write
// param: slot STRING
// param: number INTEGER a published version
// param: run STRING
// return: number INTEGER no row at all if the slot is no longer this writer's
// return: replaced LIST<INTEGER>
// After publish.turn, in its transaction.
MATCH (slot:Slot {key: $slot})
SET slot.heartbeat = datetime.realtime()
WITH slot
WHERE slot.run = $run
MATCH (v:GraphVersion {number: $number, status: 'published'})
OPTIONAL MATCH (slot)-[p:PUBLISHED]->(old:GraphVersion)
DELETE p
WITH v, slot, collect(old) AS olds
CREATE (slot)-[:PUBLISHED]->(v)
WITH v, olds
CALL (olds) {
  UNWIND olds AS old
  WITH DISTINCT old
  WHERE NOT EXISTS { (:Slot)-[:PUBLISHED]->(old) }
  SET old.status = 'superseded', old.superseded = datetime.realtime()
  RETURN collect(old.number) AS replaced
}
RETURN v.number AS number, replaced
