// Which ROIs of one version share features with ROIs of another?
// mode: read
// param: projection STRING name of a projection of both versions' ROIs on their features
// param: number_a INTEGER of the one version
// param: number_b INTEGER of the other
// param: most INTEGER = 1000 matches per ROI
// return: a STRING ROI name in the one version
// return: b STRING ROI name in the other
// return: jaccard FLOAT shared features over the features of both
CALL gds.nodeSimilarity.stream($projection, {similarityMetric: 'JACCARD', topK: $most, concurrency: 1}) YIELD node1, node2, similarity
WITH gds.util.asNode(node1) AS a, gds.util.asNode(node2) AS b, similarity
WHERE a.graph = $number_a AND b.graph = $number_b
RETURN a.name AS a, b.name AS b, similarity AS jaccard
ORDER BY jaccard DESC, a, b
