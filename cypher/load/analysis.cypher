// Is this analysis of a published graph new?
// mode: write
// param: graph_id STRING
// param: id STRING digest of kind, parameters, graph and content
// param: kind STRING
// param: params STRING parameters as JSON
// return: fresh BOOLEAN
MATCH (v:GraphVersion {id: $graph_id, status: 'published'})
MERGE (analysis:Analysis {id: $id})
  ON CREATE SET analysis.kind = $kind, analysis.params = $params, analysis.created = datetime.realtime(), analysis.fresh = true
MERGE (analysis)-[:OF]->(v)
WITH analysis, coalesce(analysis.fresh, false) AS fresh
REMOVE analysis.fresh
RETURN fresh
