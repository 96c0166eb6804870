// Which ROIs were born, died, split or merged between two checkpoints?
// Two ROIs match when their Jaccard is at least the given one; rest (dead features) matches nothing. A part of a ROI has a
// Jaccard of about its share, so splits and merges need a threshold below one half. No rows before `match_rois` was run.
// mode: read
// param: slot_a STRING the earlier slot
// param: slot_b STRING the later slot
// param: jaccard FLOAT = 0.3 at least
// return: event STRING birth, death, split or merge
// return: roi STRING of the later slot (birth, merge) or of the earlier one (death, split)
// return: size INTEGER features of the ROI
// return: partners LIST<STRING> the parts of a split, the sources of a merge
// return: jaccards LIST<FLOAT> one per partner
MATCH (:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion), (:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)
MATCH (va)<-[:OF]-(n:Analysis {kind: 'matches'})-[:OF]->(vb)
UNWIND [{here: va, there: vb, none: 'death', many: 'split'}, {here: vb, there: va, none: 'birth', many: 'merge'}] AS side
WITH n.id AS analysis, side, side.here AS here, side.there AS there
MATCH (here)-[:HAS_ROI]->(r:ROI {is_rest: false})
CALL (analysis, r, there) {
  MATCH (r)-[m:MATCHES {analysis: analysis}]-(o:ROI {is_rest: false})<-[:HAS_ROI]-(there)
  WHERE m.jaccard >= $jaccard
  WITH o, m ORDER BY m.jaccard DESC, o.name
  RETURN collect(o.name) AS partners, collect(m.jaccard) AS jaccards
}
WITH side, r, partners, jaccards
WHERE size(partners) <> 1
RETURN CASE WHEN size(partners) = 0 THEN side.none ELSE side.many END AS event, r.name AS roi, r.size AS size, partners, jaccards
ORDER BY event, roi
