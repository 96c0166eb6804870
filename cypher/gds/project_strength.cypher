// How strongly are ROIs joined, as an undirected graph for community search?
// Parallel ports are summed: strength = |Σ weight| for one task, for several the rms over tasks of Σ weight / unit.
// Pairs of strength 0 are left out, and with them ROIs that nothing joins.
// GDS's Leiden visits nodes in the order of the rows and its seed hardly matters: another stride is another try.
// mode: read
// param: number INTEGER of the version
// param: tasks LIST<STRING>
// param: units LIST<FLOAT> what 1 means for each task: |total effect|, or 1 for a single task
// param: leave_out LIST<STRING> kinds of ROIs to leave out: rest, tok, attention, mlp, logits
// param: edges INTEGER = 2147483647 only the circuit of so many edges of each task
// param: stride INTEGER = 1 from 1 to 2147483646: orders the rows
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER each pair counts twice
UNWIND range(0, size($tasks) - 1) AS t
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = $number AND e.task = $tasks[t] AND e.rank >= 1 AND e.rank <= $edges
  AND NOT u.kind IN $leave_out AND NOT w.kind IN $leave_out AND NOT ('rest' IN $leave_out AND (u.is_rest OR w.is_rest))
WITH u, w, t, sum(e.weight) / $units[t] AS weight
WITH u, w, sqrt(sum(weight ^ 2) / size($tasks)) AS strength
WHERE strength > 0.0
WITH u, w, strength ORDER BY u.index * $stride % 2147483647, w.index * $stride % 2147483647
WITH gds.graph.project($projection, u, w, {relationshipProperties: {strength: strength}}, {undirectedRelationshipTypes: ['*']}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
