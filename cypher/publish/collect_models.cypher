// How many models without a checkpoint were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Writing the name locks the model before it is asked again.
MATCH (model:Model)
WHERE NOT EXISTS { (model)-[:HAS_CHECKPOINT]->() }
WITH model LIMIT $batch
SET model.name = model.name
WITH model
WHERE NOT EXISTS { (model)-[:HAS_CHECKPOINT]->() }
DETACH DELETE model
RETURN count(*) AS removed
