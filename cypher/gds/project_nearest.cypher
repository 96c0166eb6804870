// Which points are nearest to each other, as an undirected graph for community search?
// GDS gives (1 + cosine) / 2; strength is the similarity that the coordinates stand for. Pairs without similarity are left out.
// mode: read
// param: points STRING name of a projection whose points were joined to their nearest
// param: shift FLOAT that was added to the diagonal of the similarity
// param: stride INTEGER = 1 from 1 to 2147483646: orders the rows
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER each pair counts twice
CALL gds.graph.relationshipProperty.stream($points, 'cosine') YIELD sourceNodeId, targetNodeId, propertyValue
WITH gds.util.asNode(sourceNodeId) AS a, gds.util.asNode(targetNodeId) AS b, (2.0 * propertyValue - 1.0) * (1.0 + $shift) AS strength
WITH CASE WHEN a.index < b.index THEN a ELSE b END AS u, CASE WHEN a.index < b.index THEN b ELSE a END AS w, strength
WITH u, w, max(strength) AS strength
WHERE strength > 1e-9
WITH u, w, strength ORDER BY u.index * $stride % 2147483647, w.index * $stride % 2147483647
WITH gds.graph.project($projection, u, w, {relationshipProperties: {strength: strength}}, {undirectedRelationshipTypes: ['*']}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
