// How does a task's strength divide at every ROI, as a graph of costs for path search?
// Parallel ports become one relationship: strength = |Σ weight|, share = strength / Σ over what reads the ROI, cost = -log share.
// Edges of strength 0 are left out.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank >= 1
WITH u, w, abs(sum(e.weight)) AS strength
WHERE strength > 0.0
WITH u, collect({reader: w, strength: strength}) AS readers, sum(strength) AS total
UNWIND readers AS r
WITH u, r.reader AS w, -log(r.strength / total) AS cost
WITH gds.graph.project($projection, u, w, {relationshipProperties: {cost: CASE WHEN cost < 0.0 THEN 0.0 ELSE cost END}}, {readConcurrency: 1}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
