// How long is the chain of the model's published checkpoints, in order of their steps?
// mode: write
// param: slot STRING
// return: links INTEGER
// Only what is not as it should be is changed: whoever walks the chain meanwhile finds it whole.
MATCH (:Slot {key: $slot})-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(model:Model)
SET model.chained = datetime.realtime()
WITH DISTINCT model
MATCH (model)-[:HAS_CHECKPOINT]->(checkpoint:Checkpoint)
WHERE EXISTS { (checkpoint)<-[:OF]-(:Slot)-[:PUBLISHED]->() }
WITH model, checkpoint ORDER BY checkpoint.step, checkpoint.label
WITH model, collect(checkpoint) AS checkpoints
WITH model, [i IN range(0, size(checkpoints) - 2) | [checkpoints[i], checkpoints[i + 1]]] AS pairs
CALL (model, pairs) {
  MATCH (model)-[:HAS_CHECKPOINT]->(earlier:Checkpoint)-[next:NEXT]->(later)
  WHERE NOT [earlier, later] IN pairs
  DELETE next
}
WITH pairs
UNWIND pairs AS pair
WITH pair[0] AS earlier, pair[1] AS later
MERGE (earlier)-[:NEXT]->(later)
RETURN count(*) AS links
