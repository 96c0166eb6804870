// How strongly are ROIs joined, as the undirected graph whose communities are searched for?
// Parallel ports are summed: strength = |Σ weight| for one task, for several the rms over tasks of Σ weight / unit.
// Pairs of strength 0 are left out, and with them ROIs that nothing joins.
// mode: read
// param: number INTEGER of the version
// param: tasks LIST<STRING>
// param: units LIST<FLOAT> what 1 means for each task: |total effect|, or 1 for a single task
// param: leave_out LIST<STRING> kinds of ROIs to leave out: rest, tok, attention, mlp, logits
// param: edges INTEGER = 2147483647 only the circuit of so many edges of each task
// return: source INTEGER index of the ROI
// return: target INTEGER index of the ROI
// return: strength FLOAT
UNWIND range(0, size($tasks) - 1) AS t
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = $number AND e.task = $tasks[t] AND e.rank >= 1 AND e.rank <= $edges
  AND NOT u.kind IN $leave_out AND NOT w.kind IN $leave_out AND NOT ('rest' IN $leave_out AND (u.is_rest OR w.is_rest))
WITH u.index AS source, w.index AS target, t, sum(e.weight) / $units[t] AS weight
WITH source, target, sqrt(sum(weight ^ 2) / size($tasks)) AS strength
WHERE strength > 0.0
RETURN source, target, strength
ORDER BY source, target
