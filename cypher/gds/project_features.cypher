// Which features do the ROIs of two versions hold, as a graph for comparing ROIs?
// mode: read
// param: numbers LIST<INTEGER> of the two versions
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER
MATCH (v:GraphVersion)-[:HAS_ROI]->(r:ROI)-[:IS]->(:Block)-[:CONTAINS]->(f:Feature)
WHERE v.number IN $numbers
WITH r, f ORDER BY r.key, f.key
WITH gds.graph.project($projection, r, f, {}, {readConcurrency: 1}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
