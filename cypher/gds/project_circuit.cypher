// Which ROIs does the circuit of n edges join, as a graph for finding its pieces?
// Parallel ports become one relationship, without weights.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER n, the number of edges
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank >= 1 AND e.rank <= $edges
WITH DISTINCT u, w ORDER BY u.index, w.index
WITH gds.graph.project($projection, u, w, {}, {readConcurrency: 1}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
