// What did this search for communities or roles find, and how does it stand to each of its nulls?
// mode: read
// param: analysis STRING id of the analysis
// return: community INTEGER 0 = the largest
// return: rois LIST<STRING>
// return: task STRING (mixture) = all tasks together
// return: gamma FLOAT resolution
// return: edges INTEGER size of the circuit that was divided; empty for the whole graph
// return: modularity FLOAT of the whole division
// return: blocks_mean FLOAT modularity when weights are permuted within (source site, target site, port)
// return: blocks_sd FLOAT
// return: blocks_z FLOAT
// return: blocks_p FLOAT
// return: configuration_mean FLOAT modularity when every ROI keeps its strengths (of a circuit: its degrees) and nothing else
// return: configuration_sd FLOAT
// return: configuration_z FLOAT
// return: configuration_p FLOAT
// return: above_null BOOLEAN both z ≥ 5
MATCH (:Analysis {id: $analysis})-[:FOUND]->(c:Community)
CALL (c) {
  MATCH (r:ROI)-[:IN]->(c)
  WITH r ORDER BY r.name
  RETURN collect(r.name) AS rois
}
RETURN c.index AS community, rois, c.task AS task, c.gamma AS gamma, c.edges AS edges, c.modularity AS modularity,
       c.blocks_mean AS blocks_mean, c.blocks_sd AS blocks_sd, c.blocks_z AS blocks_z, c.blocks_p AS blocks_p,
       c.configuration_mean AS configuration_mean, c.configuration_sd AS configuration_sd, c.configuration_z AS configuration_z,
       c.configuration_p AS configuration_p, c.above_null AS above_null
ORDER BY community
