// Where does the weight of one edge come from: which model, prompts, method, ROIs and numerics?
// The evidence beside it: the sum law of its port group, and how well the checkpoint does the task.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: source STRING name of the ROI that writes, such as a0.h0
// param: target STRING name of the ROI that reads, such as m0.r3
// param: port STRING through which it reads: q, k, v or in
// return: weight FLOAT signed, in units of the metric
// return: se FLOAT standard error over examples
// return: mean_abs FLOAT mean |weight| over examples
// return: rank INTEGER 1 = strongest
// return: model STRING
// return: checkpoint STRING its label
// return: step INTEGER
// return: weights_digest STRING of the model's weights
// return: prompts LIST<MAP> split, metric, n and prompts_digest of every scored split, with accuracy, clean, corrupted and solved
// return: path STRING how the edge was found
// return: rule STRING of the integral along the path
// return: steps INTEGER points of the integral
// return: baseline STRING
// return: dtype STRING
// return: partition STRING kind of the ROIs
// return: partition_id STRING
// return: port_group STRING
// return: group_effect FLOAT what all edges into the port group should add up to
// return: group_gap FLOAT effect less their sum
// return: group_method STRING the path, or exact where the group fell back
// return: group_complete BOOLEAN the gap is within the study's tolerance
// return: graph_id STRING hash of weights, prompts, settings and numerics
// return: content_hash STRING hash of the published figures
// return: numerics INTEGER the numerics it was made by; null where that was not noted
// return: published DATETIME when the version was made
// return: provenance STRING everything the graph says of itself, as JSON
MATCH (s:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:USES]->(p:Partition)
CALL (v) {
  MATCH ()-[e:EDGE]->(target)
  USING INDEX SEEK e:EDGE(graph, source, target, port, task)
  WHERE e.graph = v.number AND e.source = $source AND e.target = $target AND e.port = $port AND e.task = $task
  RETURN e, target
}
OPTIONAL MATCH (v)-[:HAS_PORT_GROUP]->(g:PortGroup {task: $task, name: target.site + '.' + $port})
CALL (s) {
  MATCH (s)-[:OF]->(:Checkpoint)-[score:SCORED]->(:Task {name: $task})
  WITH score ORDER BY score.split
  RETURN collect(properties(score)) AS prompts
}
RETURN e.weight AS weight, e.se AS se, e.mean_abs AS mean_abs, e.rank AS rank, v.model AS model, v.label AS checkpoint, v.step AS step,
       v.weights_digest AS weights_digest, prompts, v.path AS path, v.rule AS rule, v.steps AS steps, v.baseline AS baseline, v.dtype AS dtype,
       p.kind AS partition, p.id AS partition_id, g.name AS port_group, g.effect AS group_effect, g.gap AS group_gap, g.method AS group_method,
       g.complete AS group_complete, v.id AS graph_id, v.content_hash AS content_hash, v.numerics AS numerics, v.created AS published,
       v.provenance AS provenance
