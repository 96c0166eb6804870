// How does one task look in models of several seeds and sizes?
// One row per model: its last published checkpoint. Modularity is that of the newest communities of all tasks together.
// mode: read
// param: study STRING
// param: task STRING
// param: partition STRING = "own" own, reference, components, singletons or random
// param: path STRING = "ports"
// param: faithfulness FLOAT = 0.9 least_edges is the smallest measured circuit that keeps so much
// param: split STRING = "eval" whose accuracy
// return: model STRING
// return: label STRING of the checkpoint
// return: layers INTEGER
// return: heads INTEGER of all layers
// return: neurons INTEGER of all layers
// return: accuracy FLOAT
// return: solved BOOLEAN
// return: effect FLOAT metric on clean less metric on corrupted prompts
// return: rois INTEGER
// return: edges INTEGER of the whole graph
// return: least_edges INTEGER empty where no measured circuit reaches the faithfulness
// return: area FLOAT under the faithfulness curve
// return: modularity FLOAT
// return: null_mean FLOAT of the null that it comes nearest to
// return: z FLOAT the smaller of both nulls
// return: above_null BOOLEAN both z ≥ 5
// return: slot STRING
MATCH (:Study {key: $study})-[:HAS_MODEL]->(m:Model)-[:HAS_CHECKPOINT]->(c:Checkpoint)<-[:OF]-(s:Slot {study: $study, partition: $partition, path: $path})
MATCH (s)-[:PUBLISHED]->(v:GraphVersion)
WHERE $task IN v.tasks
WITH m, c, s, v ORDER BY s.step DESC, s.label
WITH m, collect({c: c, s: s, v: v})[0] AS last
WITH m, last.c AS c, last.s AS s, last.v AS v
MATCH (c)-[score:SCORED {split: $split}]->(t:Task {name: $task})
CALL (v) {
  MATCH (v)-[:HAS_ROI]->(r:ROI)
  RETURN count(DISTINCT r.layer) AS layers, sum(CASE r.kind WHEN 'attention' THEN r.size ELSE 0 END) AS heads,
         sum(CASE r.kind WHEN 'mlp' THEN r.size ELSE 0 END) AS neurons
}
CALL (v, t) {
  OPTIONAL MATCH (v)<-[:OF]-(:Analysis {kind: 'faithfulness'})-[:FOUND]->(k:Circuit {task: t.name, selection: 'weight'})
  RETURN min(CASE WHEN k.faithfulness >= $faithfulness THEN k.n_edges END) AS least_edges, max(k.area) AS area
}
CALL (v) {
  OPTIONAL MATCH (v)<-[:OF]-(n:Analysis {kind: 'communities'})-[:FOUND]->(k:Community {index: 0, task: '(mixture)'})
  WHERE k.edges IS NULL
  WITH k, n ORDER BY n.created DESC, n.id LIMIT 1
  RETURN k
}
RETURN m.name AS model, s.label AS label, layers, heads, neurons, score.accuracy AS accuracy, score.solved AS solved,
       score.clean - score.corrupted AS effect, v.n_rois AS rois, v.n_edges AS edges, least_edges, area,
       k.modularity AS modularity, k.null_mean AS null_mean, k.z AS z, k.above_null AS above_null, s.key AS slot
ORDER BY neurons, heads, model
