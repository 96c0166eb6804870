// How does modularity grow over the checkpoints, against its null?
// mode: read
// param: slot STRING any slot of the sequence: same model, partition and path
// return: step INTEGER
// return: label STRING of the checkpoint
// return: task STRING (mixture) = all tasks together
// return: gamma FLOAT resolution
// return: communities INTEGER how many
// return: modularity FLOAT
// return: null_mean FLOAT
// return: null_sd FLOAT
// return: z FLOAT
// return: p FLOAT
// return: above_null BOOLEAN z ≥ 5
MATCH (s:Slot {key: $slot})
MATCH (s)-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(m:Model)
MATCH (m)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(o:Slot {partition: s.partition, path: s.path})
MATCH (o)-[:PUBLISHED]->(:GraphVersion)<-[:OF]-(a:Analysis {kind: 'communities'})-[:FOUND]->(c:Community)
WITH o, a, collect(c) AS found
WITH o, a, size(found) AS communities, found[0] AS c
RETURN o.step AS step, o.label AS label, c.task AS task, c.gamma AS gamma, communities, c.modularity AS modularity, c.null_mean AS null_mean,
       c.null_sd AS null_sd, c.z AS z, c.p AS p, c.above_null AS above_null
ORDER BY step, label, task, gamma, a.id
