// How many relationships join every point of a projection to its nearest others?
// By the cosine of coordinates. The search is approximate by design; without sampling it found all neighbours of 500 points.
// One thread and a seed.
// mode: read
// param: points STRING name of a projection of points with coordinates
// param: neighbours INTEGER how many of each
// param: seed INTEGER
// return: joined INTEGER
CALL gds.knn.mutate($points, {
  nodeProperties: {coordinates: 'COSINE'}, topK: $neighbours, sampleRate: 1.0, deltaThreshold: 0.0, maxIterations: 100, randomSeed: $seed,
  concurrency: 1, mutateRelationshipType: 'NEAR', mutateProperty: 'cosine'
}) YIELD relationshipsWritten
RETURN relationshipsWritten AS joined
