// Which nodes does a study have, but for those of its versions?
// mode: read
// param: study STRING
// return: label STRING
// return: id STRING of the node in this database
// return: properties MAP
MATCH (study:Study {key: $study})
CALL (study) {
  RETURN 'Study' AS label, study AS n
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(n:Model)
  RETURN 'Model' AS label, n
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(n:Checkpoint)
  RETURN 'Checkpoint' AS label, n
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)-[:SCORED]->(n:Task)
  RETURN DISTINCT 'Task' AS label, n
UNION ALL
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(n:Slot)
  RETURN 'Slot' AS label, n
UNION ALL
  MATCH (study)-[:TELLS]->(n:Table)
  RETURN 'Table' AS label, n
UNION ALL
  MATCH (n:Sequence {key: 'graph'})
  RETURN 'Sequence' AS label, n
}
RETURN label, elementId(n) AS id, properties(n) AS properties
