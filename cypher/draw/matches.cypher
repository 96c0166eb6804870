// Which ROIs of one checkpoint became which ROIs of another, drawn?
// Neighbouring checkpoints are matched when their study is compared, others have no rows.
// mode: read
// param: slot_a STRING the one slot, on its own ROIs
// param: slot_b STRING the other
// param: jaccard FLOAT = 0.3 shared features over the features of both, at least
// return: a MAP a ROI of the one
// return: match MAP
// return: b MAP a ROI of the other
MATCH (:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion)-[:HAS_ROI]->(a:ROI)
MATCH (:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)
MATCH (a)-[match:MATCHES]-(b:ROI)
WHERE b.graph = vb.number AND match.jaccard >= $jaccard
RETURN a, match, b
ORDER BY match.jaccard DESC, a.name, b.name
