// How does the circuit of n edges look, drawn?
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER = 20 n, the number of edges
// return: source MAP a ROI
// return: edge MAP
// return: target MAP a ROI
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (source:ROI)-[e:EDGE]->(target:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank <= $edges
RETURN source, e AS edge, target
ORDER BY e.rank
