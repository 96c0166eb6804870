// How does the circuit of n edges look, drawn?
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER = 20 n, the number of edges
// return: source MAP a ROI
// return: edge MAP
// return: target MAP a ROI
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (source:ROI)-[edge:EDGE]->(target:ROI)
USING INDEX SEEK edge:EDGE(graph, task, rank)
WHERE edge.graph = v.number AND edge.task = $task AND edge.rank <= $edges
RETURN source, edge, target
ORDER BY edge.rank
