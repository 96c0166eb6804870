// On which ROIs does this slot's graph stand, and by which path were its edges found?
// Edges of two slots can be compared when model, path and node_set are equal.
// mode: read
// param: slot STRING the slot that is asked
// return: model STRING
// return: label STRING of the checkpoint
// return: step INTEGER
// return: partition STRING own, reference, components, singletons or random
// return: path STRING
// return: node_set STRING id of the partition
// return: graph_id STRING
// return: number INTEGER of the version
// return: tasks LIST<STRING>
MATCH (s:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:USES]->(p:Partition)
OPTIONAL MATCH (v)-[:HAS_PORT_GROUP]->(g:PortGroup)
WITH s, v, p, g.task AS task ORDER BY task
RETURN s.study + '|' + s.model AS model, s.label AS label, s.step AS step, s.partition AS partition, s.path AS path, p.id AS node_set, v.id AS graph_id,
       v.number AS number, collect(DISTINCT task) AS tasks
