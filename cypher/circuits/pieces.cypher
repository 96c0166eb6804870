// Does the circuit of n edges hang together, or does it fall into pieces?
// Weakly connected components by GDS of the n strongest edges, whichever way these point; one piece that holds tok and logits is whole.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER = 20 n, the number of edges
// param: projection STRING = null supplied by the store, which also drops it
// return: piece INTEGER 1 = the one of most ROIs
// return: size INTEGER ROIs
// return: edges INTEGER of the n
// return: strength FLOAT of these edges
// return: from_tok BOOLEAN whether tok is among its ROIs
// return: to_logits BOOLEAN whether the logits are
// return: rois LIST<STRING>
CALL gds.wcc.stream($projection, {concurrency: 1}) YIELD nodeId, componentId
WITH componentId, gds.util.asNode(nodeId) AS r
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r)
CALL (v, r) {
  MATCH (r)-[e:EDGE]->(:ROI)
  WHERE e.graph = v.number AND e.task = $task AND e.rank <= $edges
  RETURN count(e) AS out, sum(e.strength) AS strength
}
WITH componentId, r, out, strength ORDER BY r.name
WITH componentId, collect(r.name) AS rois, collect(r.kind) AS kinds, sum(out) AS edges, sum(strength) AS strength
ORDER BY size(rois) DESC, strength DESC, rois
WITH collect({rois: rois, kinds: kinds, edges: edges, strength: strength}) AS pieces
UNWIND range(1, size(pieces)) AS piece
WITH piece, pieces[piece - 1] AS found
RETURN piece, size(found.rois) AS size, found.edges AS edges, found.strength AS strength,
       'tok' IN found.kinds AS from_tok, 'logits' IN found.kinds AS to_logits, found.rois AS rois
ORDER BY piece
