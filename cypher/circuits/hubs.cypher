// Through which ROIs does most of a task's strength pass?
// Counts the circuit of n edges; through = the smaller of the strength in and the strength out, so tok and logits are no hubs.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER = 100 n, the number of edges that count
// param: limit INTEGER = 20 how many ROIs
// return: roi STRING
// return: label STRING
// return: size INTEGER features of the ROI
// return: through FLOAT
// return: edges_in INTEGER
// return: edges_out INTEGER
// return: strength_in FLOAT
// return: strength_out FLOAT
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank <= $edges
UNWIND [{roi: u, out: 1}, {roi: w, out: 0}] AS end
WITH end.roi AS r, sum(1 - end.out) AS edges_in, sum(end.out) AS edges_out,
     sum((1 - end.out) * e.strength) AS strength_in, sum(end.out * e.strength) AS strength_out
WHERE edges_in > 0 AND edges_out > 0
RETURN r.name AS roi, r.label AS label, r.size AS size,
       CASE WHEN strength_in < strength_out THEN strength_in ELSE strength_out END AS through,
       edges_in, edges_out, strength_in, strength_out
ORDER BY through DESC, roi
LIMIT $limit
