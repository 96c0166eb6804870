// Which ROIs have the same signed profile of inputs and outputs as this ROI?
// Cosine of the weights over (other end, direction, port); only ROIs of the same kind, whose ports mean the same.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: roi STRING name of the ROI, such as m0.r3
// param: limit INTEGER = 20 how many ROIs
// return: roi STRING
// return: label STRING
// return: size INTEGER features of the ROI
// return: cosine FLOAT 1 = the same, -1 = the opposite
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r:ROI {name: $roi})
MATCH (a:ROI)-[e:EDGE]->(b:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank >= 1
// An edge has a place in two profiles: what a gives to b by this port, and what b takes from a.
UNWIND [{roi: a, other: b, out: true}, {roi: b, other: a, out: false}] AS end
WITH r, end.other AS other, end.out AS out, e.port AS port, collect({roi: end.roi, weight: e.weight}) AS there
UNWIND there AS t
WITH r, t.roi AS o, t.weight AS weight, head([m IN there WHERE m.roi = r | m.weight]) AS mine
WITH r, o, sum(mine * weight) AS dot, sum(weight ^ 2) AS square, count(CASE WHEN mine <> 0.0 THEN 1 END) AS shared
WITH r, collect({roi: o, dot: dot, square: square, shared: shared}) AS profiles
WITH r, profiles, head([p IN profiles WHERE p.roi = r | p.square]) AS own
UNWIND profiles AS p
WITH p.roi AS o, p.dot AS dot, own * p.square AS squares, p.shared AS shared, r
WHERE o <> r AND o.kind = r.kind AND shared > 0 AND squares > 0.0
RETURN o.name AS roi, o.label AS label, o.size AS size, dot / sqrt(squares) AS cosine
ORDER BY cosine DESC, roi
LIMIT $limit
