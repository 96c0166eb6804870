// Where do ROIs lie by their profiles, as points for the search of nearest neighbours?
// mode: read
// param: number INTEGER of the version
// param: rows LIST<MAP> roi (its name), coordinates (a list of floats, equally long for all)
// param: projection STRING name of the projection
// return: nodes INTEGER
// return: relationships INTEGER none
UNWIND $rows AS row
MATCH (r:ROI {key: toString($number) + '|' + row.roi})
WITH r, row ORDER BY r.index
WITH gds.graph.project($projection, r, null, {sourceNodeProperties: {coordinates: row.coordinates}, targetNodeProperties: NULL}, {readConcurrency: 1}) AS g
RETURN g.nodeCount AS nodes, g.relationshipCount AS relationships
