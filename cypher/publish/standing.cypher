// Which version of this graph id is published, and in which slots?
// mode: read
// param: graph_id STRING
// return: number INTEGER
// return: content_hash STRING
// return: edges INTEGER
// return: slots LIST<STRING>
// Published is what a slot shows; the status says the same, but two rows never change for a reader at one instant.
MATCH (v:GraphVersion {id: $graph_id})<-[:PUBLISHED]-(slot:Slot)
RETURN v.number AS number, v.content_hash AS content_hash, v.n_edges AS edges, collect(slot.key) AS slots
ORDER BY number DESC
