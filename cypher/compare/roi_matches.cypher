// Which ROIs of one checkpoint are which ROIs of another?
// Jaccard of their features, by gds.similar_rois. Neighbouring checkpoints are matched when their study is compared, others have no rows.
// mode: read
// param: slot_a STRING the slot compared from
// param: slot_b STRING the slot compared to
// param: jaccard FLOAT = 0.0 at least
// return: roi_a STRING
// return: roi_b STRING
// return: jaccard FLOAT shared features over the features of both
// return: size_a INTEGER
// return: size_b INTEGER
// return: analysis STRING
MATCH (:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion), (:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)
MATCH (va)<-[:OF]-(n:Analysis {kind: 'matches'})-[:OF]->(vb)
MATCH (va)-[:HAS_ROI]->(a:ROI)-[m:MATCHES {analysis: n.id}]-(b:ROI)<-[:HAS_ROI]-(vb)
WHERE m.jaccard >= $jaccard
RETURN a.name AS roi_a, b.name AS roi_b, m.jaccard AS jaccard, a.size AS size_a, b.size AS size_b, n.id AS analysis
ORDER BY jaccard DESC, roi_a, roi_b
