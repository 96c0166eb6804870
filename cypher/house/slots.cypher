// Which checkpoints have a published graph, under which partition and path?
// mode: read
// param: model STRING = "" only this model; empty for all
// return: slot STRING
// return: study STRING
// return: model STRING
// return: label STRING
// return: step INTEGER
// return: partition STRING
// return: path STRING
// return: graph_id STRING
MATCH (s:Slot)-[:PUBLISHED]->(v:GraphVersion)
WHERE $model = '' OR s.model = $model
RETURN s.key AS slot, s.study AS study, s.model AS model, s.label AS label, s.step AS step, s.partition AS partition, s.path AS path, v.id AS graph_id
ORDER BY study, model, step, label, partition, path
