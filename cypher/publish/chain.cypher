// How long is the chain of the model's published checkpoints, in order of their steps?
// mode: write
// param: slot STRING
// return: links INTEGER
MATCH (:Slot {key: $slot})-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(model:Model)
SET model.chained = datetime.realtime()
WITH model
OPTIONAL MATCH (model)-[:HAS_CHECKPOINT]->(:Checkpoint)-[next:NEXT]->()
DELETE next
WITH DISTINCT model
MATCH (model)-[:HAS_CHECKPOINT]->(checkpoint:Checkpoint)
WHERE EXISTS { (checkpoint)<-[:OF]-(:Slot)-[:PUBLISHED]->() }
WITH checkpoint ORDER BY checkpoint.step, checkpoint.label
WITH collect(checkpoint) AS checkpoints
UNWIND range(0, size(checkpoints) - 2) AS i
WITH checkpoints[i] AS earlier, checkpoints[i + 1] AS later
CREATE (earlier)-[:NEXT]->(later)
RETURN count(*) AS links
