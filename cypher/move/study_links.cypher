// Which relationships does a study have, but for those of its versions?
// mode: read
// param: study STRING
// return: type STRING
// return: id STRING of the relationship in this database
// return: start STRING id of the node it leaves
// return: end STRING id of the node it enters
// return: properties MAP
MATCH (study:Study {key: $study})
CALL (study) {
  MATCH (study)-[r:HAS_MODEL|TELLS]->()
  RETURN r
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[r:HAS_CHECKPOINT]->()
  RETURN r
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)-[r:NEXT|SCORED]->()
  RETURN r
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[r:OF]-(:Slot)
  RETURN r
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(:Slot)-[r:PUBLISHED]->()
  RETURN r
}
RETURN type(r) AS type, elementId(r) AS id, elementId(startNode(r)) AS start, elementId(endNode(r)) AS end, properties(r) AS properties
