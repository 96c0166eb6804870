// Which communities does the graph have, and do they stand above their null?
// task (mixture) = all tasks together; a community is no finding unless above_null holds.
// mode: read
// param: slot STRING the slot that is asked
// return: task STRING
// return: gamma FLOAT resolution
// return: community INTEGER 0 = the largest
// return: size INTEGER ROIs
// return: rois LIST<STRING>
// return: modularity FLOAT of the whole division, on strength
// return: null_mean FLOAT modularity when weights are permuted within (source site, target site, port)
// return: null_sd FLOAT
// return: z FLOAT
// return: p FLOAT
// return: above_null BOOLEAN z ≥ 5
// return: analysis STRING
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)<-[:OF]-(a:Analysis {kind: 'communities'})-[:FOUND]->(c:Community)
CALL (c) {
  MATCH (r:ROI)-[:IN]->(c)
  WITH r ORDER BY r.name
  RETURN collect(r.name) AS rois
}
RETURN c.task AS task, c.gamma AS gamma, c.index AS community, c.size AS size, rois, c.modularity AS modularity, c.null_mean AS null_mean,
       c.null_sd AS null_sd, c.z AS z, c.p AS p, c.above_null AS above_null, a.id AS analysis
ORDER BY task, gamma, analysis, community
