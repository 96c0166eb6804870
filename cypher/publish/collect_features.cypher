// How many features that no block holds were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Writing the index locks the feature before it is asked again: a writer may have put it into a block since.
MATCH (feature:Feature)
WHERE NOT EXISTS { (:Block)-[:CONTAINS]->(feature) }
WITH feature LIMIT $batch
SET feature.index = feature.index
WITH feature
WHERE NOT EXISTS { (:Block)-[:CONTAINS]->(feature) }
DETACH DELETE feature
RETURN count(*) AS removed
