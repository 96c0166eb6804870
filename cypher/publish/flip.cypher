// Which versions does this one take the place of?
// mode: write
// param: slot STRING
// param: number INTEGER
// param: run STRING
// return: number INTEGER the version that is published now; no row at all if slot or version are no longer this writer's
// return: replaced LIST<INTEGER> versions that are superseded now
// The whole publication in one transaction (after publish.turn); slots that show another version with this graph id follow.
// Slot and version are written to, and so locked, before they are asked: what gc condemned meanwhile must not be published.
MATCH (own:Slot {key: $slot})
SET own.heartbeat = datetime.realtime()
WITH own
WHERE own.run = $run
MATCH (v:GraphVersion {number: $number})
SET v.heartbeat = datetime.realtime()
WITH own, v
WHERE v.run = $run AND v.status = 'staged'
OPTIONAL MATCH (twin:Slot)-[:PUBLISHED]->(:GraphVersion {id: v.id})
WITH v, own, collect(twin) AS twins
UNWIND [own] + twins AS slot
WITH DISTINCT v, slot
OPTIONAL MATCH (slot)-[p:PUBLISHED]->(old:GraphVersion)
DELETE p
WITH v, slot, collect(old) AS olds
CREATE (slot)-[:PUBLISHED]->(v)
WITH v, collect(olds) AS lists
SET v.status = 'published', v.published = datetime.realtime()
REMOVE v.run, v.heartbeat
WITH v, reduce(all = [], list IN lists | all + list) AS olds
CALL (olds) {
  UNWIND olds AS old
  WITH DISTINCT old
  WHERE NOT EXISTS { (:Slot)-[:PUBLISHED]->(old) }
  SET old.status = 'superseded', old.superseded = datetime.realtime()
  RETURN collect(old.number) AS replaced
}
RETURN v.number AS number, replaced
