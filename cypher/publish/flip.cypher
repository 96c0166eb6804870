// Which versions does this one take the place of?
// mode: write
// param: slot STRING
// param: number INTEGER
// param: run STRING
// return: number INTEGER the version that is published now
// return: replaced LIST<INTEGER> versions that are superseded now
// The whole publication in one transaction; slots that show another version with this graph id follow.
// Writing the sequence row lets one flip happen at a time, so that a graph id is never published twice.
MATCH (sequence:Sequence {key: 'graph'})
SET sequence.flipped = datetime.realtime()
WITH sequence
MATCH (v:GraphVersion {number: $number, run: $run, status: 'staged'})
MATCH (own:Slot {key: $slot, run: $run})
OPTIONAL MATCH (twin:Slot)-[:PUBLISHED]->(:GraphVersion {id: v.id, status: 'published'})
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
