// Which version of this graph id is published, and in which slots?
// mode: read
// param: graph_id STRING
// return: number INTEGER
// return: content_hash STRING
// return: edges INTEGER
// return: slots LIST<STRING>
MATCH (v:GraphVersion {id: $graph_id, status: 'published'})
OPTIONAL MATCH (slot:Slot)-[:PUBLISHED]->(v)
RETURN v.number AS number, v.content_hash AS content_hash, v.n_edges AS edges, collect(slot.key) AS slots
ORDER BY number DESC
