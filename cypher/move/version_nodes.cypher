// Which nodes does a version have, with its partition, its tasks and what its analyses found?
// mode: read
// param: number INTEGER of the version
// return: label STRING
// return: id STRING of the node in this database
// return: properties MAP
MATCH (v:GraphVersion {number: $number})
CALL (v) {
  RETURN 'GraphVersion' AS label, v AS n
UNION ALL
  MATCH (v)-[:HAS_ROI]->(n:ROI)
  RETURN 'ROI' AS label, n
UNION ALL
  MATCH (v)-[:HAS_ROI]->(:ROI)-[:FLOW]->(n:Task)
  RETURN DISTINCT 'Task' AS label, n
UNION ALL
  MATCH (v)-[:HAS_PORT_GROUP]->(n:PortGroup)
  RETURN 'PortGroup' AS label, n
UNION ALL
  MATCH (v)-[:USES]->(n:Partition)
  RETURN 'Partition' AS label, n
UNION ALL
  MATCH (v)-[:USES]->(:Partition)-[:HAS_BLOCK]->(n:Block)
  RETURN 'Block' AS label, n
UNION ALL
  MATCH (v)-[:USES]->(:Partition)-[:HAS_BLOCK]->(:Block)-[:CONTAINS]->(n:Feature)
  RETURN 'Feature' AS label, n
UNION ALL
  MATCH (v)<-[:OF]-(n:Analysis)
  RETURN 'Analysis' AS label, n
UNION ALL
  MATCH (v)<-[:OF]-(:Analysis)-[:FOUND]->(n:Circuit)
  RETURN 'Circuit' AS label, n
UNION ALL
  MATCH (v)<-[:OF]-(:Analysis)-[:FOUND]->(n:Community)
  RETURN 'Community' AS label, n
}
RETURN label, elementId(n) AS id, properties(n) AS properties
