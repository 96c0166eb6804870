// Which relationships does a version have, but for its edges, with its partition and what its analyses found?
// mode: read
// param: number INTEGER of the version
// return: type STRING
// return: id STRING of the relationship in this database
// return: start STRING id of the node it leaves
// return: end STRING id of the node it enters
// return: properties MAP
MATCH (v:GraphVersion {number: $number})
CALL (v) {
  MATCH (v)-[r:HAS_ROI|HAS_PORT_GROUP|USES]->()
  RETURN r
UNION ALL
  MATCH (v)-[:HAS_ROI]->(:ROI)-[r:IS|FLOW|IN|MATCHES]->()
  RETURN r
UNION ALL
  MATCH (v)-[:USES]->(:Partition)-[r:HAS_BLOCK]->()
  RETURN r
UNION ALL
  MATCH (v)-[:USES]->(:Partition)-[:HAS_BLOCK]->(:Block)-[r:CONTAINS]->()
  RETURN r
UNION ALL
  MATCH (v)<-[r:OF]-(:Analysis)
  RETURN r
UNION ALL
  MATCH (v)<-[:OF]-(:Analysis)-[r:FOUND]->()
  RETURN r
}
RETURN type(r) AS type, elementId(r) AS id, elementId(startNode(r)) AS start, elementId(endNode(r)) AS end, properties(r) AS properties
