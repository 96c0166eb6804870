// What would gc remove besides these versions, and how many of each kind?
// mode: read
// param: numbers LIST<INTEGER> versions that go
// param: expiry_s INTEGER = 60 a heartbeat older than this is dead
// return: kind STRING
// return: n INTEGER
CALL () {
  MATCH (v:GraphVersion)-[:HAS_ROI]->(:ROI)-[e:EDGE]->() WHERE v.number IN $numbers
  RETURN 'edges' AS kind, count(e) AS n
UNION ALL
  MATCH (v:GraphVersion)<-[:OF]-(:Analysis)-[:FOUND]->(found) WHERE v.number IN $numbers
  RETURN 'findings' AS kind, count(DISTINCT found) AS n
UNION ALL
  MATCH (v:GraphVersion)-[:HAS_ROI]->(:ROI)-[m:MATCHES]-() WHERE v.number IN $numbers
  RETURN 'matches' AS kind, count(DISTINCT m) AS n
UNION ALL
  MATCH (v:GraphVersion)<-[:OF]-(analysis:Analysis) WHERE v.number IN $numbers
  RETURN 'analyses' AS kind, count(DISTINCT analysis) AS n
UNION ALL
  MATCH (v:GraphVersion)-[:HAS_ROI|HAS_PORT_GROUP]->(n) WHERE v.number IN $numbers
  RETURN 'nodes' AS kind, count(n) AS n
UNION ALL
  MATCH (p:Partition) WHERE NOT EXISTS { MATCH (v:GraphVersion)-[:USES]->(p) WHERE NOT v.number IN $numbers }
  OPTIONAL MATCH (p)-[:HAS_BLOCK]->(b:Block)
  RETURN 'blocks' AS kind, count(b) AS n
UNION ALL
  MATCH (p:Partition) WHERE NOT EXISTS { MATCH (v:GraphVersion)-[:USES]->(p) WHERE NOT v.number IN $numbers }
  RETURN 'partitions' AS kind, count(p) AS n
UNION ALL
  MATCH (f:Feature)
  WHERE NOT EXISTS { MATCH (f)<-[:CONTAINS]-(:Block)<-[:HAS_BLOCK]-(:Partition)<-[:USES]-(v:GraphVersion) WHERE NOT v.number IN $numbers }
  RETURN 'features' AS kind, count(f) AS n
UNION ALL
  MATCH (s:Slot)
  WHERE s.run IS NOT NULL AND (s.heartbeat IS NULL OR abs(duration.inSeconds(s.heartbeat, datetime.realtime()).seconds) >= $expiry_s)
  RETURN 'locks' AS kind, count(s) AS n
UNION ALL
  MATCH (s:Slot)
  WHERE (s.run IS NULL OR s.heartbeat IS NULL OR abs(duration.inSeconds(s.heartbeat, datetime.realtime()).seconds) >= $expiry_s)
    AND NOT EXISTS { (s)-[:PUBLISHED]->() } AND NOT EXISTS { MATCH (v:GraphVersion {slot: s.key}) WHERE NOT v.number IN $numbers }
  RETURN 'slots' AS kind, count(s) AS n
UNION ALL
  MATCH (n:ROI|PortGroup)
  WHERE NOT EXISTS { (:GraphVersion)-[:HAS_ROI|HAS_PORT_GROUP]->(n) } AND NOT EXISTS { (:GraphVersion {number: n.graph}) }
  RETURN 'strays' AS kind, count(n) AS n
UNION ALL
  MATCH (n:Analysis|Community|Circuit|Block)
  WHERE NOT EXISTS { (n)-[:OF]->(:GraphVersion) } AND NOT EXISTS { (:Analysis)-[:FOUND]->(n) } AND NOT EXISTS { (:Partition)-[:HAS_BLOCK]->(n) }
  RETURN 'strays' AS kind, count(n) AS n
}
RETURN kind, sum(n) AS n
ORDER BY kind
