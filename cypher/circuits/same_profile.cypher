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
MATCH (r)-[e:EDGE]-(other:ROI)
WHERE e.graph = v.number AND e.task = $task AND e.weight <> 0.0
WITH v, r, collect({e: e, other: other, out: startNode(e) = r}) AS mine, sum(e.weight ^ 2) AS square
UNWIND mine AS m
WITH v, r, square, m.e AS e, m.other AS other, m.out AS out
MATCH (other)-[f:EDGE]-(o:ROI)
WHERE f.graph = v.number AND f.task = $task AND f.port = e.port AND o <> r AND o.kind = r.kind AND (startNode(f) = o) = out
WITH v, square, o, sum(e.weight * f.weight) AS dot
CALL (v, o) {
  MATCH (o)-[g:EDGE]-(:ROI)
  WHERE g.graph = v.number AND g.task = $task
  RETURN sum(g.weight ^ 2) AS theirs
}
WITH o, dot, square, theirs
WHERE theirs > 0.0
RETURN o.name AS roi, o.label AS label, o.size AS size, dot / sqrt(square * theirs) AS cosine
ORDER BY cosine DESC, roi
LIMIT $limit
