// How strongly are these pairs joined, as an undirected graph for community search?
// The pairs are given, not matched here, since GDS has every statement that projects planned once more, whatever it costs: this one costs little.
// GDS's Leiden visits nodes in the order of the rows and its seed hardly matters: another order is another try.
// mode: read
// param: sources LIST<INTEGER> any numbers; the projection's nodes have them as ids
// param: targets LIST<INTEGER>
// param: strengths LIST<FLOAT>
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER each pair counts twice
UNWIND range(0, size($sources) - 1) AS i
WITH gds.graph.project($projection, $sources[i], $targets[i], {relationshipProperties: {strength: $strengths[i]}}, {undirectedRelationshipTypes: ['*'], readConcurrency: 1}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
