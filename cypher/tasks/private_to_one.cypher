// Which edges are among the n strongest of this task and of no other?
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER = 50 n, for each task
// return: rank INTEGER 1 = strongest
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight FLOAT signed, in metric units
// return: strength FLOAT
// return: nearest_task STRING the other task that ranks it highest
// return: nearest_rank INTEGER its rank there, beyond n
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)-[:HAS_PORT_GROUP]->(g:PortGroup {name: 'logits.in'})
WITH v, [name IN collect(g.task) WHERE name <> $task] AS others
MATCH ()-[e:EDGE]->()
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank <= $edges
CALL (v, others, e) {
  UNWIND others AS other
  MATCH ()-[o:EDGE]->()
  USING INDEX SEEK o:EDGE(graph, source, target, port, task)
  WHERE o.graph = v.number AND o.source = e.source AND o.target = e.target AND o.port = e.port AND o.task = other
  WITH o ORDER BY o.rank, o.task LIMIT 1
  RETURN collect(o)[0] AS nearest
}
WITH e, nearest
WHERE nearest IS NULL OR nearest.rank > $edges
RETURN e.rank AS rank, e.source AS source, e.target AS target, e.port AS port, e.weight AS weight, e.strength AS strength,
       nearest.task AS nearest_task, nearest.rank AS nearest_rank
ORDER BY rank
