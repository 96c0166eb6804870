// How many checkpoints without a slot were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Writing the step locks the checkpoint before it is asked again: a writer may have given it a slot since.
MATCH (checkpoint:Checkpoint)
WHERE NOT EXISTS { (:Slot)-[:OF]->(checkpoint) }
WITH checkpoint LIMIT $batch
SET checkpoint.step = checkpoint.step
WITH checkpoint
WHERE NOT EXISTS { (:Slot)-[:OF]->(checkpoint) }
DETACH DELETE checkpoint
RETURN count(*) AS removed
