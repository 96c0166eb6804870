// Does an undirected projection with Leiden fit into the server's memory?
// An upper bound by GDS's own estimates; the free heap is what the Java heap may still grow by.
// mode: read
// param: nodes INTEGER
// param: relationships INTEGER
// return: needed INTEGER bytes
// return: free INTEGER bytes
CALL gds.graph.project.estimate('*', {EDGE: {type: '*', orientation: 'UNDIRECTED', properties: ['strength']}}, {
  nodeCount: $nodes, relationshipCount: $relationships
}) YIELD bytesMax AS projection
CALL gds.leiden.stream.estimate({
  nodeProjection: '*', relationshipProjection: {EDGE: {type: '*', orientation: 'UNDIRECTED', properties: ['strength']}},
  nodeCount: $nodes, relationshipCount: $relationships
}, {relationshipWeightProperty: 'strength'}) YIELD bytesMax AS leiden
CALL gds.debug.sysInfo() YIELD key, value
WITH projection, leiden, key, value
WHERE key = 'availableHeapInBytes'
RETURN projection + leiden AS needed, toInteger(value) AS free
