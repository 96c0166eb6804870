// Which points are nearest to each other, as the undirected graph whose communities are searched for?
// GDS gives (1 + cosine) / 2; strength is the similarity that the coordinates stand for. Pairs without similarity are left out.
// mode: read
// param: points STRING name of a projection whose points were joined to their nearest
// param: shift FLOAT that was added to the diagonal of the similarity
// return: source INTEGER index of the ROI, the smaller one
// return: target INTEGER index of the ROI
// return: strength FLOAT
CALL gds.graph.relationshipProperty.stream($points, 'cosine') YIELD sourceNodeId, targetNodeId, propertyValue
WITH gds.util.asNode(sourceNodeId).index AS a, gds.util.asNode(targetNodeId).index AS b, (2.0 * propertyValue - 1.0) * (1.0 + $shift) AS strength
WITH CASE WHEN a < b THEN a ELSE b END AS source, CASE WHEN a < b THEN b ELSE a END AS target, strength
WITH source, target, max(strength) AS strength
WHERE strength > 1e-9
RETURN source, target, strength
ORDER BY source, target
