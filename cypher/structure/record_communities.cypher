// How many communities did this analysis find?
// mode: write
// param: analysis STRING id of the analysis
// param: number INTEGER of the version
// param: verdict MAP task, gamma, edges, modularity, nearest_null and its figures, above_null, the figures of both nulls
// param: communities LIST<MAP> rois: names of the ROIs of each
// return: written INTEGER
MATCH (a:Analysis {id: $analysis})
UNWIND range(0, size($communities) - 1) AS i
CREATE (a)-[:FOUND]->(c:Community {
  key: $analysis + '|' + $verdict.task + '|' + toString(i), index: i, size: size($communities[i].rois), task: $verdict.task, gamma: $verdict.gamma,
  edges: $verdict.edges, modularity: $verdict.modularity, nearest_null: $verdict.nearest_null, null_mean: $verdict.null_mean, null_sd: $verdict.null_sd,
  z: $verdict.z, p: $verdict.p, above_null: $verdict.above_null,
  blocks_mean: $verdict.blocks_mean, blocks_sd: $verdict.blocks_sd, blocks_z: $verdict.blocks_z, blocks_p: $verdict.blocks_p,
  configuration_mean: $verdict.configuration_mean, configuration_sd: $verdict.configuration_sd,
  configuration_z: $verdict.configuration_z, configuration_p: $verdict.configuration_p
})
WITH c, i
CALL (c, i) {
  UNWIND $communities[i].rois AS name
  MATCH (r:ROI {key: toString($number) + '|' + name})
  CREATE (r)-[:IN {analysis: $analysis}]->(c)
  RETURN count(*) AS members
}
RETURN count(c) AS written
