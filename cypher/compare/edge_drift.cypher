// Which edges changed most between two checkpoints?
// Only for one node set: the same model, path and partition (reference, components); an edge that one side lacks counts as 0 there.
// mode: read
// param: slot_a STRING the slot compared from
// param: slot_b STRING the slot compared to
// param: task STRING
// param: limit INTEGER = 20 how many edges
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight_a FLOAT signed, in metric units
// return: weight_b FLOAT
// return: drift FLOAT weight_b - weight_a
// return: noise FLOAT drift over the standard error of the difference; empty where that is 0
// return: rank_a INTEGER
// return: rank_b INTEGER
MATCH (a:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion)-[:USES]->(p:Partition)
MATCH (b:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)-[:USES]->(p)
WHERE a.study = b.study AND a.model = b.model AND a.path = b.path
UNWIND [{number: va.number, side: 0}, {number: vb.number, side: 1}] AS end
MATCH ()-[e:EDGE]->()
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = end.number AND e.task = $task AND e.rank >= 1
WITH e.source AS source, e.target AS target, e.port AS port, collect({side: end.side, e: e}) AS ends
WITH source, target, port, head([x IN ends WHERE x.side = 0 | x.e]) AS ea, head([x IN ends WHERE x.side = 1 | x.e]) AS eb
WITH source, target, port, ea.rank AS rank_a, eb.rank AS rank_b, coalesce(ea.weight, 0.0) AS weight_a, coalesce(eb.weight, 0.0) AS weight_b,
     sqrt(coalesce(ea.se, 0.0) ^ 2 + coalesce(eb.se, 0.0) ^ 2) AS se
RETURN source, target, port, weight_a, weight_b, weight_b - weight_a AS drift,
       CASE WHEN se = 0.0 THEN null ELSE (weight_b - weight_a) / se END AS noise, rank_a, rank_b
ORDER BY abs(weight_b - weight_a) DESC, source, target, port
LIMIT $limit
