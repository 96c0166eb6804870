// Does a projection of a whole graph with search for paths, betweenness and pieces fit into the server's memory?
// An upper bound by GDS's own estimates: the projection and the dearest of the three; the free heap is what the Java heap may still grow by.
// mode: read
// param: slot STRING the slot whose graph is projected
// param: paths INTEGER = 10 how many paths are searched
// return: nodes INTEGER
// return: relationships INTEGER
// return: needed INTEGER bytes
// return: free INTEGER bytes
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
WITH v.n_rois AS nodes, v.n_edges AS relationships
CALL gds.graph.project.estimate('*', {EDGE: {type: '*', properties: ['cost']}}, {nodeCount: nodes, relationshipCount: relationships}) YIELD bytesMax AS projection
CALL gds.shortestPath.yens.stream.estimate({
  nodeProjection: '*', relationshipProjection: {EDGE: {type: '*', properties: ['cost']}}, nodeCount: nodes, relationshipCount: relationships
}, {sourceNode: 0, targetNode: 1, k: $paths, relationshipWeightProperty: 'cost'}) YIELD bytesMax AS yens
CALL gds.betweenness.stream.estimate({
  nodeProjection: '*', relationshipProjection: {EDGE: {type: '*', properties: ['cost']}}, nodeCount: nodes, relationshipCount: relationships
}, {relationshipWeightProperty: 'cost'}) YIELD bytesMax AS betweenness
CALL gds.wcc.stream.estimate({
  nodeProjection: '*', relationshipProjection: {EDGE: {type: '*', properties: ['cost']}}, nodeCount: nodes, relationshipCount: relationships
}, {}) YIELD bytesMax AS wcc
CALL gds.debug.sysInfo() YIELD key, value
WITH nodes, relationships, projection, [yens, betweenness, wcc] AS algorithms, key, value
WHERE key = 'availableHeapInBytes'
RETURN nodes, relationships, projection + reduce(most = 0, bytes IN algorithms | CASE WHEN bytes > most THEN bytes ELSE most END) AS needed, toInteger(value) AS free
