// Along which paths does a task's strength flow from tok to logits?
// Share(v→x) = strength(v→x) / Σ_x strength(v→x), a path's score is the product of its shares (Yen's, cost = -log share).
// Parallel ports count once, as |Σ weight| over the ports from v to x; gds.project_shares makes the projection.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: paths INTEGER = 10 how many paths
// param: projection STRING = null supplied by the store, which also drops it
// return: place INTEGER 1 = strongest
// return: rois LIST<STRING> from tok to logits
// return: shares LIST<FLOAT> one per step
// return: score FLOAT product of the shares; all paths of one start sum to at most 1
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)-[:HAS_ROI]->(start:ROI {kind: 'tok'}), (v)-[:HAS_ROI]->(end:ROI {kind: 'logits'})
WHERE EXISTS { MATCH (start)-[e:EDGE]->() WHERE e.graph = v.number AND e.task = $task AND e.strength > 0.0 }
  AND EXISTS { MATCH ()-[e:EDGE]->(end) WHERE e.graph = v.number AND e.task = $task AND e.strength > 0.0 }
CALL gds.shortestPath.yens.stream($projection, {
  sourceNode: start, targetNode: end, k: $paths, relationshipWeightProperty: 'cost', concurrency: 1
}) YIELD totalCost, nodeIds, costs
WITH totalCost, costs, [id IN nodeIds | gds.util.asNode(id).name] AS rois
ORDER BY totalCost, rois LIMIT $paths
WITH collect({total: totalCost, costs: costs, rois: rois}) AS found
UNWIND range(1, size(found)) AS place
WITH place, found[place - 1] AS path
RETURN place, path.rois AS rois, [i IN range(1, size(path.costs) - 1) | exp(path.costs[i - 1] - path.costs[i])] AS shares, exp(-path.total) AS score
ORDER BY place
