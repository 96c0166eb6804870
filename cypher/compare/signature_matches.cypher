// Which ROIs of one graph are alike to which of another by signature: across checkpoints, seeds and sizes?
// Signature: signed weights by task, port and kind of the other end. Whether the matches mean anything at all
// says `compare.agreement`. Neighbouring checkpoints, and the last ones of models, are matched when their study is compared, others have no rows.
// mode: read
// param: slot_a STRING the slot compared from
// param: slot_b STRING the slot compared to
// param: all BOOLEAN = false also pairs in which one is the other's nearest without being matched to it
// return: roi_a STRING
// return: roi_b STRING
// return: signature FLOAT 1 = the same, 0 = unrelated, -1 = opposite
// return: assigned BOOLEAN matched one to one
// return: size_a INTEGER
// return: size_b INTEGER
// return: analysis STRING
MATCH (:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion), (:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)
MATCH (va)<-[:OF]-(n:Analysis {kind: 'signatures'})-[:OF]->(vb)
MATCH (va)-[:HAS_ROI]->(a:ROI)-[m:MATCHES {analysis: n.id}]-(b:ROI)<-[:HAS_ROI]-(vb)
WHERE m.assigned OR $all
RETURN a.name AS roi_a, b.name AS roi_b, m.signature AS signature, m.assigned AS assigned, a.size AS size_a, b.size AS size_b, n.id AS analysis
ORDER BY analysis, assigned DESC, signature DESC, roi_a, roi_b
