// Which ROIs play the same role: alike in whom they read from and write to, with the same signs?
// task (mixture) = all tasks together; a role is no finding unless above_null holds. Found by nearest profiles, then Leiden.
// mode: read
// param: slot STRING the slot that is asked
// return: task STRING
// return: gamma FLOAT resolution
// return: role INTEGER 0 = the largest
// return: size INTEGER ROIs
// return: rois LIST<STRING>
// return: modularity FLOAT of the whole division, on the graph that joins every ROI to its nearest others
// return: nearest_null STRING the null that it comes nearest to: blocks (weights permuted within blocks) or configuration (strengths kept)
// return: null_mean FLOAT modularity under that null
// return: null_sd FLOAT
// return: z FLOAT the smaller of both
// return: p FLOAT of that null
// return: blocks_z FLOAT
// return: configuration_z FLOAT
// return: above_null BOOLEAN both z ≥ 5
// return: analysis STRING
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)<-[:OF]-(a:Analysis {kind: 'roles'})-[:FOUND]->(c:Community)
CALL (c) {
  MATCH (r:ROI)-[:IN]->(c)
  WITH r ORDER BY r.name
  RETURN collect(r.name) AS rois
}
RETURN c.task AS task, c.gamma AS gamma, c.index AS role, c.size AS size, rois, c.modularity AS modularity, c.nearest_null AS nearest_null,
       c.null_mean AS null_mean, c.null_sd AS null_sd, c.z AS z, c.p AS p, c.blocks_z AS blocks_z, c.configuration_z AS configuration_z,
       c.above_null AS above_null, a.id AS analysis
ORDER BY task, gamma, analysis, role
