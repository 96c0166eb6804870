// Which versions does this slot leave, now that it shows a version that another slot published?
// mode: write
// param: slot STRING
// param: number INTEGER a published version
// param: run STRING
// return: number INTEGER
// return: replaced LIST<INTEGER>
MATCH (sequence:Sequence {key: 'graph'})
SET sequence.flipped = datetime.realtime()
WITH sequence
MATCH (slot:Slot {key: $slot, run: $run})
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
