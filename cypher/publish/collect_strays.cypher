// How many nodes whose version, analysis or partition is gone were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Nobody reaches them. A node that names a version which is still there is no stray but damage, which verify names and gc leaves.
CALL () {
  MATCH (n:ROI|PortGroup)
  WHERE NOT EXISTS { (:GraphVersion)-[:HAS_ROI|HAS_PORT_GROUP]->(n) } AND NOT EXISTS { (:GraphVersion {number: n.graph}) }
  RETURN n
UNION
  MATCH (n:Analysis)
  WHERE NOT EXISTS { (n)-[:OF]->(:GraphVersion) }
  RETURN n
UNION
  MATCH (n:Community|Circuit)
  WHERE NOT EXISTS { (:Analysis)-[:FOUND]->(n) }
  RETURN n
UNION
  MATCH (n:Block)
  WHERE NOT EXISTS { (:Partition)-[:HAS_BLOCK]->(n) }
  RETURN n
}
WITH n LIMIT $batch
DETACH DELETE n
RETURN count(*) AS removed
