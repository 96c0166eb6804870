// How does one ROI stand among what feeds it and what reads it, drawn?
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: roi STRING name of the ROI, such as m0.r0
// param: limit INTEGER = 20 how many edges, strongest first
// return: source MAP a ROI
// return: edge MAP
// return: target MAP a ROI
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r:ROI {name: $roi})
MATCH (r)-[edge:EDGE]-(:ROI)
WHERE edge.graph = v.number AND edge.task = $task AND edge.strength > 0.0
WITH startNode(edge) AS source, edge, endNode(edge) AS target
RETURN source, edge, target
ORDER BY edge.rank
LIMIT $limit
