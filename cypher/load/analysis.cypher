// Is this analysis of a published graph new?
// mode: write
// param: graph_id STRING
// param: number INTEGER = null only if this is the version that is published under the id
// param: id STRING digest of kind, parameters, graph and content
// param: kind STRING
// param: params STRING parameters as JSON
// return: fresh BOOLEAN no row at all if no such graph is published
// The version is settled before anything is written: while MERGE waits for it, another of this id may be published.
// MERGE of the relationship locks it; then it is asked again, for it may have been superseded meanwhile.
MATCH (found:GraphVersion {id: $graph_id, status: 'published'})
WHERE $number IS NULL OR found.number = $number
WITH found ORDER BY found.number DESC LIMIT 1
MERGE (analysis:Analysis {id: $id})
  ON CREATE SET analysis.kind = $kind, analysis.params = $params, analysis.created = datetime.realtime(), analysis.fresh = true
MERGE (analysis)-[:OF]->(found)
WITH analysis, found.number AS found_number
MATCH (v:GraphVersion {number: found_number, status: 'published'})
WITH analysis, coalesce(analysis.fresh, false) AS fresh
REMOVE analysis.fresh
RETURN fresh
