// Which edges are among the n strongest of every task?
// mode: read
// param: slot STRING the slot that is asked
// param: edges INTEGER = 50 n, for each task
// return: source STRING
// return: target STRING
// return: port STRING
// return: worst_rank INTEGER the edge is in every task's circuit from so many edges on
// return: tasks LIST<STRING> all tasks of the graph
// return: weights LIST<FLOAT> one per task
// return: same_sign BOOLEAN whether it helps, or hurts, every task
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)-[:HAS_PORT_GROUP]->(g:PortGroup {name: 'logits.in'})
WITH v, collect(g.task) AS names
UNWIND names AS task
MATCH ()-[e:EDGE]->()
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = task AND e.rank <= $edges
WITH names, e ORDER BY e.task
WITH names, e.source AS source, e.target AS target, e.port AS port, collect(e) AS found
WHERE size(found) = size(names)
RETURN source, target, port, reduce(worst = 0, e IN found | CASE WHEN e.rank > worst THEN e.rank ELSE worst END) AS worst_rank,
       [e IN found | e.task] AS tasks, [e IN found | e.weight] AS weights,
       all(e IN found WHERE e.weight > 0.0) OR all(e IN found WHERE e.weight < 0.0) AS same_sign
ORDER BY worst_rank, source, target, port
