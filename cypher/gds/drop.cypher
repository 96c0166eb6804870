// Is this projection gone from the server's memory?
// mode: read
// param: projection STRING name of the projection
// return: dropped STRING its name; no row where there was none
CALL gds.graph.drop($projection, false) YIELD graphName
RETURN graphName AS dropped
