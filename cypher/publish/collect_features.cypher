// How many features that no block holds were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
MATCH (feature:Feature)
WHERE NOT EXISTS { (:Block)-[:CONTAINS]->(feature) }
WITH feature LIMIT $batch
DETACH DELETE feature
RETURN count(*) AS removed
