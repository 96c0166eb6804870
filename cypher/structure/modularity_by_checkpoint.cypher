// How does modularity grow over the checkpoints, against its nulls?
// mode: read
// param: slot STRING any slot of the sequence: same model, partition and path
// param: kind STRING = "communities" or roles
// return: step INTEGER
// return: label STRING of the checkpoint
// return: task STRING (mixture) = all tasks together
// return: gamma FLOAT resolution
// return: edges INTEGER size of the circuit that was divided; empty for the whole graph
// return: communities INTEGER how many
// return: modularity FLOAT
// return: nearest_null STRING blocks or configuration
// return: null_mean FLOAT modularity under that null
// return: null_sd FLOAT
// return: z FLOAT the smaller of both
// return: p FLOAT of that null
// return: blocks_z FLOAT weights permuted within (source site, target site, port)
// return: configuration_z FLOAT strengths kept
// return: above_null BOOLEAN both z ≥ 5
MATCH (s:Slot {key: $slot})
MATCH (s)-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(m:Model)
MATCH (m)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(o:Slot {partition: s.partition, path: s.path})
MATCH (o)-[:PUBLISHED]->(:GraphVersion)<-[:OF]-(a:Analysis {kind: $kind})-[:FOUND]->(c:Community)
WITH o, a, collect(c) AS found
WITH o, a, size(found) AS communities, found[0] AS c
RETURN o.step AS step, o.label AS label, c.task AS task, c.gamma AS gamma, c.edges AS edges, communities, c.modularity AS modularity,
       c.nearest_null AS nearest_null, c.null_mean AS null_mean, c.null_sd AS null_sd, c.z AS z, c.p AS p, c.blocks_z AS blocks_z,
       c.configuration_z AS configuration_z, c.above_null AS above_null
ORDER BY step, label, task, gamma, edges, a.id
