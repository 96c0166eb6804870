// At which ROIs do a task's inflow and outflow differ most?
// They are equal in a linear model; tok (none in) and logits (none out) are left out.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: limit INTEGER = 20 how many ROIs
// return: roi STRING
// return: label STRING
// return: inflow FLOAT Σ of weights into the ROI
// return: outflow FLOAT Σ of weights out of it
// return: mismatch FLOAT outflow - inflow
// return: relative FLOAT |mismatch| / (|inflow| + |outflow|), from 0 to 1
MATCH (s:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r:ROI)-[f:FLOW]->(:Task {key: s.study + '|' + $task})
WHERE NOT r.kind IN ['tok', 'logits']
WITH r, f, abs(f.inflow) + abs(f.outflow) AS scale
RETURN r.name AS roi, r.label AS label, f.inflow AS inflow, f.outflow AS outflow, f.outflow - f.inflow AS mismatch,
       CASE WHEN scale = 0.0 THEN 0.0 ELSE abs(f.outflow - f.inflow) / scale END AS relative
ORDER BY abs(f.outflow - f.inflow) DESC, roi
LIMIT $limit
