// Is this analysis of a published graph new?
// mode: write
// param: graph_id STRING
// param: id STRING digest of kind, parameters, graph and content
// param: kind STRING
// param: params STRING parameters as JSON
// return: fresh BOOLEAN no row at all if no such graph is published
// MERGE of the relationship locks the version; then it is asked again, for it may have been superseded while this waited.
MATCH (found:GraphVersion {id: $graph_id, status: 'published'})
MERGE (analysis:Analysis {id: $id})
  ON CREATE SET analysis.kind = $kind, analysis.params = $params, analysis.created = datetime.realtime(), analysis.fresh = true
MERGE (analysis)-[:OF]->(found)
WITH analysis, found.number AS number
MATCH (v:GraphVersion {number: number, status: 'published'})
WITH analysis, coalesce(analysis.fresh, false) AS fresh
REMOVE analysis.fresh
RETURN fresh
