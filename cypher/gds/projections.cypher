// Which projections of roicg lie in the server's memory right now?
// mode: read
// return: projection STRING
// return: nodes INTEGER
// return: relationships INTEGER
// return: memory STRING
// return: created DATETIME
CALL gds.graph.list() YIELD graphName, nodeCount, relationshipCount, memoryUsage, creationTime
WITH graphName, nodeCount, relationshipCount, memoryUsage, creationTime
WHERE graphName STARTS WITH 'roicg_'
RETURN graphName AS projection, nodeCount AS nodes, relationshipCount AS relationships, memoryUsage AS memory, creationTime AS created
ORDER BY projection
