// Which circuits did an analysis find?
// mode: read
// param: analysis STRING its id
// return: circuit MAP all that is written on each
MATCH (:Analysis {id: $analysis})-[:FOUND]->(c:Circuit)
RETURN properties(c) AS circuit
ORDER BY c.task, c.selection, c.n_edges
