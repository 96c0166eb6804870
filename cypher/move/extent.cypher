// What would be removed with a study, by kind?
// mode: read
// param: study STRING
// return: kind STRING
// return: n INTEGER
// A version that a slot of another study shows stays, with all that hangs on it.
MATCH (study:Study {key: $study})
CALL (study) {
  MATCH (study)-[:HAS_MODEL]->()-[:HAS_CHECKPOINT]->()<-[:OF]-(slot:Slot)
  OPTIONAL MATCH (slot)-[:PUBLISHED]->(v:GraphVersion)
  WHERE NOT EXISTS { (v)<-[:PUBLISHED]-(other:Slot) WHERE other.study <> $study }
  RETURN count(DISTINCT slot) AS slots, collect(DISTINCT v) AS gone
}
CALL (study, slots, gone) {
  RETURN 'slots' AS kind, slots AS n
UNION ALL
  RETURN 'models' AS kind, count { (study)-[:HAS_MODEL]->() } AS n
UNION ALL
  RETURN 'checkpoints' AS kind, count { (study)-[:HAS_MODEL]->()-[:HAS_CHECKPOINT]->() } AS n
UNION ALL
  RETURN 'tables of findings' AS kind, count { (study)-[:TELLS]->() } AS n
UNION ALL
  RETURN 'graphs' AS kind, size(gone) AS n
UNION ALL
  UNWIND gone AS v
  RETURN 'ROIs' AS kind, coalesce(sum(v.n_rois), 0) AS n
UNION ALL
  UNWIND gone AS v
  RETURN 'edges' AS kind, coalesce(sum(v.n_rows), 0) AS n
UNION ALL
  UNWIND gone AS v
  MATCH (v)<-[:OF]-(analysis:Analysis)
  RETURN 'analyses' AS kind, count(DISTINCT analysis) AS n
}
RETURN kind, n
ORDER BY kind
