// Which ROIs were born, died, split or merged between two checkpoints?
// By jaccard (shared features) two ROIs match when their Jaccard is at least the given one. A part of a ROI has a Jaccard of about
// its share, so splits and merges need a threshold below one half. By signature a ROI matches the one it is assigned to and those
// whose nearest it is; ROIs of one site may be alike by 0.6 and more without being the same, so ask for 0.9. Rest (dead features)
// matches nothing. Neighbouring checkpoints are matched when their study is compared, others have no rows.
// mode: read
// param: slot_a STRING the earlier slot
// param: slot_b STRING the later slot
// param: by STRING = "jaccard" or signature
// param: least FLOAT = 0.3 a match is at least so alike
// return: event STRING birth, death, split or merge
// return: roi STRING of the later slot (birth, merge) or of the earlier one (death, split)
// return: size INTEGER features of the ROI
// return: partners LIST<STRING> the parts of a split, the sources of a merge
// return: alike LIST<FLOAT> one per partner
MATCH (:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion), (:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)
MATCH (va)<-[:OF]-(n:Analysis)-[:OF]->(vb)
WHERE n.kind = CASE $by WHEN 'jaccard' THEN 'matches' WHEN 'signature' THEN 'signatures' END
WITH va, vb, n ORDER BY n.created DESC, n.id LIMIT 1
UNWIND [{here: va, there: vb, none: 'death', many: 'split'}, {here: vb, there: va, none: 'birth', many: 'merge'}] AS side
WITH n.id AS analysis, side, side.here AS here, side.there AS there
MATCH (here)-[:HAS_ROI]->(r:ROI {is_rest: false})
WHERE $by = 'jaccard' OR r.kind IN ['attention', 'mlp']
CALL (analysis, r, there) {
  MATCH (r)-[m:MATCHES {analysis: analysis}]-(o:ROI {is_rest: false})<-[:HAS_ROI]-(there)
  WHERE coalesce(m.jaccard, m.signature) >= $least
  WITH o, coalesce(m.jaccard, m.signature) AS alike ORDER BY alike DESC, o.name
  RETURN collect(o.name) AS partners, collect(alike) AS alike
}
WITH side, r, partners, alike
WHERE size(partners) <> 1
RETURN CASE WHEN size(partners) = 0 THEN side.none ELSE side.many END AS event, r.name AS roi, r.size AS size, partners, alike
ORDER BY event, roi
