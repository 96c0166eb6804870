// How does each ROI read from and write to the kinds of ROIs that every model has?
// Sums of signed weights by task, port and kind and layer of the other end: they do not depend on how finely the others are divided.
// tok, logits and rest (dead features) have no profile, but count as others.
// mode: read
// param: slot STRING the slot that is asked
// return: roi STRING
// return: index INTEGER its place in the partition
// return: kind STRING attention or mlp
// return: layer INTEGER
// return: task STRING
// return: side STRING reads or writes
// return: port STRING of the reader
// return: other_kind STRING tok, attention, mlp or logits
// return: other_layer INTEGER empty for tok and logits
// return: weight FLOAT Σ of weights, in metric units
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
UNWIND v.tasks AS task
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = task AND e.rank >= 1
UNWIND [{roi: u, other: w, side: 'writes'}, {roi: w, other: u, side: 'reads'}] AS end
WITH task, e.port AS port, e.weight AS weight, end.side AS side, end.roi AS r, end.other AS o
WHERE r.kind IN ['attention', 'mlp'] AND NOT r.is_rest
RETURN r.name AS roi, r.index AS index, r.kind AS kind, r.layer AS layer, task, side, port, o.kind AS other_kind, o.layer AS other_layer,
       sum(weight) AS weight
ORDER BY index, task, side, port, other_kind, other_layer
