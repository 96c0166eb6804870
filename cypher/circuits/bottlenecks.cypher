// Through which ROIs do the strongest paths between other ROIs run?
// Betweenness by GDS on the shares of strongest_paths: a pair of ROIs counts where its strongest path passes this ROI, in equal
// parts where several are equally strong. Hubs look at a ROI's own edges, this looks at whole paths.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: limit INTEGER = 20 how many ROIs
// param: projection STRING = null supplied by the store, which also drops it
// return: roi STRING
// return: label STRING
// return: size INTEGER features of the ROI
// return: pairs FLOAT ordered pairs of other ROIs whose strongest path passes this ROI
// return: strength_in FLOAT of all its edges, as hubs gives it
// return: strength_out FLOAT
CALL gds.betweenness.stream($projection, {relationshipWeightProperty: 'cost', concurrency: 1}) YIELD nodeId, score
WITH gds.util.asNode(nodeId) AS r, score
WHERE score > 0.0
WITH r, score ORDER BY score DESC, r.name LIMIT $limit
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r)
MATCH (r)-[e:EDGE]-(:ROI)
WHERE e.graph = v.number AND e.task = $task
RETURN r.name AS roi, r.label AS label, r.size AS size, score AS pairs,
       sum(CASE WHEN endNode(e) = r THEN e.strength ELSE 0.0 END) AS strength_in,
       sum(CASE WHEN startNode(e) = r THEN e.strength ELSE 0.0 END) AS strength_out
ORDER BY pairs DESC, roi
