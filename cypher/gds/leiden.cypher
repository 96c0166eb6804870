// Into which communities does Leiden divide a projection?
// One thread and a seed, so that the same projection gives the same answer.
// mode: read
// param: projection STRING name of an undirected projection with strength
// param: gamma FLOAT resolution
// param: seed INTEGER
// return: node INTEGER its id in what was projected
// return: community INTEGER arbitrary number
CALL gds.leiden.stream($projection, {
  relationshipWeightProperty: 'strength', gamma: $gamma, tolerance: 1e-9, randomSeed: $seed, concurrency: 1
}) YIELD nodeId, communityId
RETURN nodeId AS node, communityId AS community
ORDER BY node
