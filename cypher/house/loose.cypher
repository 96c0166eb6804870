// What hangs loose: is anything published twice, pointing nowhere, owned by nobody, or half there?
// mode: read
// return: kind STRING
// return: name STRING what it is about
// return: n INTEGER how many
// return: removable BOOLEAN whether gc removes it: nothing published is touched by it
CALL () {
  MATCH (slot:Slot)-[:PUBLISHED]->(v)
  WITH slot, count(v) AS n
  WHERE n > 1
  RETURN 'slot shows several versions' AS kind, slot.key AS name, n, false AS removable
UNION ALL
  MATCH (slot:Slot)-[:PUBLISHED]->(v)
  WHERE NOT coalesce(v.status, '') = 'published'
  RETURN 'slot shows a version that is not published' AS kind, slot.key AS name, count(*) AS n, false AS removable
UNION ALL
  MATCH (v:GraphVersion {status: 'published'})
  WHERE NOT EXISTS { (:Slot)-[:PUBLISHED]->(v) }
  RETURN 'published version that no slot shows' AS kind, toString(v.number) AS name, count(*) AS n, false AS removable
UNION ALL
  MATCH (v:GraphVersion {status: 'published'})
  WITH v.id AS id, count(*) AS n
  WHERE n > 1
  RETURN 'graph id published by several versions' AS kind, id AS name, n, false AS removable
UNION ALL
  MATCH (v:GraphVersion {status: 'published'})
  WITH v, count { (v)-[:USES]->(:Partition) } AS n
  WHERE n <> 1
  RETURN 'version that does not use one partition' AS kind, toString(v.number) AS name, n, false AS removable
UNION ALL
  MATCH (n:ROI|PortGroup)
  WHERE NOT EXISTS { (:GraphVersion)-[:HAS_ROI|HAS_PORT_GROUP]->(n) }
  RETURN 'node without version' AS kind, n.key AS name, count(*) AS n, NOT EXISTS { (:GraphVersion {number: n.graph}) } AS removable
UNION ALL
  MATCH (p:Partition)
  WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(p) }
  RETURN 'partition without version' AS kind, p.id AS name, count(*) AS n, true AS removable
UNION ALL
  MATCH (b:Block)
  WHERE NOT EXISTS { (:Partition)-[:HAS_BLOCK]->(b) }
  RETURN 'block without partition' AS kind, b.key AS name, count(*) AS n, true AS removable
UNION ALL
  MATCH (f:Feature)
  WHERE NOT EXISTS { (:Block)-[:CONTAINS]->(f) }
  RETURN 'feature without block' AS kind, f.key AS name, count(*) AS n, true AS removable
UNION ALL
  MATCH (a:Analysis)
  WHERE NOT EXISTS { (a)-[:OF]->(:GraphVersion) }
  RETURN 'analysis without version' AS kind, a.id AS name, count(*) AS n, true AS removable
UNION ALL
  MATCH (found:Community|Circuit)
  WHERE NOT EXISTS { (:Analysis)-[:FOUND]->(found) }
  RETURN 'finding without analysis' AS kind, found.key AS name, count(*) AS n, true AS removable
UNION ALL
  MATCH (:GraphVersion {status: 'published'})<-[:OF]-(:Analysis)-[:FOUND]->(c:Community)
  WITH DISTINCT c
  WITH c, count { (c)<-[:IN]-(:ROI) } AS n
  WHERE n <> c.size
  RETURN 'community without all its ROIs' AS kind, c.key AS name, n, false AS removable
UNION ALL
  MATCH (a:ROI)-[m:MATCHES]->(b:ROI)
  OPTIONAL MATCH (analysis:Analysis {id: m.analysis})
  WITH a, b, m, analysis
  WHERE analysis IS NULL
     OR NOT EXISTS { (analysis)-[:OF]->(:GraphVersion)-[:HAS_ROI]->(a) }
     OR NOT EXISTS { (analysis)-[:OF]->(:GraphVersion)-[:HAS_ROI]->(b) }
  RETURN 'match of ROIs without its analysis' AS kind, a.key + ' – ' + b.key AS name, count(*) AS n, false AS removable
UNION ALL
  MATCH (model:Model)-[:HAS_CHECKPOINT]->(checkpoint:Checkpoint)
  WHERE EXISTS { (checkpoint)<-[:OF]-(:Slot)-[:PUBLISHED]->() }
  WITH model, count(checkpoint) AS checkpoints, sum(count { (checkpoint)-[:NEXT]->() }) AS links
  WHERE links <> checkpoints - 1
  RETURN 'model whose checkpoints are no chain' AS kind, model.key AS name, links AS n, false AS removable
}
RETURN kind, name, n, removable
ORDER BY kind, name
LIMIT 1000
