// When does each task emerge, in accuracy, circuit size and modularity?
// Modularity is that of the newest communities of each checkpoint's whole graph, beside the null that it comes nearest to.
// mode: read
// param: slot STRING any slot of the sequence: same model, partition and path
// param: faithfulness FLOAT = 0.9 least_edges is the smallest measured circuit that keeps so much
// param: split STRING = "eval" whose accuracy
// param: communities_of STRING = "(mixture)" the task whose strength was divided; (mixture) = all together
// return: step INTEGER
// return: label STRING of the checkpoint
// return: task STRING
// return: accuracy FLOAT
// return: solved BOOLEAN
// return: effect FLOAT metric on clean less metric on corrupted prompts
// return: least_edges INTEGER empty where no measured circuit reaches the faithfulness
// return: edges INTEGER of the whole graph
// return: area FLOAT under the faithfulness curve
// return: modularity FLOAT
// return: null_mean FLOAT of the null that it comes nearest to
// return: z FLOAT the smaller of both nulls
// return: p FLOAT
// return: above_null BOOLEAN both z ≥ 5
MATCH (s:Slot {key: $slot})
MATCH (s)-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(m:Model)
MATCH (m)-[:HAS_CHECKPOINT]->(c:Checkpoint)<-[:OF]-(o:Slot {partition: s.partition, path: s.path})
MATCH (o)-[:PUBLISHED]->(v:GraphVersion), (c)-[score:SCORED {split: $split}]->(t:Task)
CALL (v, t) {
  OPTIONAL MATCH (v)<-[:OF]-(:Analysis {kind: 'faithfulness'})-[:FOUND]->(k:Circuit {task: t.name, selection: 'weight'})
  RETURN min(CASE WHEN k.faithfulness >= $faithfulness THEN k.n_edges END) AS least_edges, max(k.area) AS area
}
CALL (v) {
  OPTIONAL MATCH (v)<-[:OF]-(a:Analysis {kind: 'communities'})-[:FOUND]->(k:Community {index: 0, task: $communities_of})
  WHERE k.edges IS NULL
  WITH k, a ORDER BY a.created DESC, a.id LIMIT 1
  RETURN k
}
RETURN o.step AS step, o.label AS label, t.name AS task, score.accuracy AS accuracy, score.solved AS solved, score.clean - score.corrupted AS effect,
       least_edges, v.n_edges AS edges, area,
       k.modularity AS modularity, k.null_mean AS null_mean, k.z AS z, k.p AS p, k.above_null AS above_null
ORDER BY task, step, label
