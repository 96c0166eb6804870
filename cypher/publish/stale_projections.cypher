// Which projections were left in the server's memory by processes that were killed?
// mode: read
// param: age_s INTEGER older than any question that uses one
// return: projection STRING
CALL gds.graph.list() YIELD graphName, creationTime
WITH graphName, creationTime
WHERE graphName STARTS WITH 'roicg_' AND creationTime <= datetime.realtime() - duration({seconds: $age_s})
RETURN graphName AS projection
ORDER BY projection
