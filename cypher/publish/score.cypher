// How many scores of the checkpoint are now those of this version?
// mode: write
// param: slot STRING
// param: weights_digest STRING
// param: scores LIST<MAP> one per task and split
// return: scored INTEGER
MATCH (slot:Slot {key: $slot})-[:OF]->(checkpoint:Checkpoint)
SET checkpoint.weights_digest = $weights_digest, checkpoint.step = slot.step
WITH slot, checkpoint
UNWIND $scores AS score
MERGE (task:Task {key: slot.study + '|' + score.task})
  ON CREATE SET task.name = score.task
MERGE (checkpoint)-[scored:SCORED {split: score.split}]->(task)
SET scored.metric = score.metric, scored.accuracy = score.accuracy, scored.clean = score.clean, scored.corrupted = score.corrupted,
    scored.solved = score.solved, scored.n = score.n, scored.prompts_digest = score.prompts_digest
RETURN count(*) AS scored
