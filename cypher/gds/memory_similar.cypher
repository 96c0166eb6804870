// Does a projection of two versions' ROIs on their features, with node similarity, fit into the server's memory?
// An upper bound by GDS's own estimates; the free heap is what the Java heap may still grow by.
// mode: read
// param: numbers LIST<INTEGER> of the two versions
// param: most INTEGER = 1000 matches per ROI
// return: nodes INTEGER ROIs and features
// return: relationships INTEGER
// return: needed INTEGER bytes
// return: free INTEGER bytes
MATCH (v:GraphVersion)-[:HAS_ROI]->(r:ROI)-[:IS]->(b:Block)
WHERE v.number IN $numbers
WITH count(r) + sum(count { (b)-[:CONTAINS]->() }) AS nodes, sum(count { (b)-[:CONTAINS]->() }) AS relationships
CALL gds.graph.project.estimate('*', '*', {nodeCount: nodes, relationshipCount: relationships}) YIELD bytesMax AS projection
CALL gds.nodeSimilarity.stream.estimate({
  nodeProjection: '*', relationshipProjection: '*', nodeCount: nodes, relationshipCount: relationships
}, {similarityMetric: 'JACCARD', topK: $most}) YIELD bytesMax AS similarity
CALL gds.debug.sysInfo() YIELD key, value
WITH nodes, relationships, projection, similarity, key, value
WHERE key = 'availableHeapInBytes'
RETURN nodes, relationships, projection + similarity AS needed, toInteger(value) AS free
