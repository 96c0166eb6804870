// Which edges make the circuit of n edges of a task?
// The n strongest, before pruning to those on a path from tok to logits.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: edges INTEGER = 20 n, the number of edges
// return: rank INTEGER 1 = strongest
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight FLOAT signed, in metric units
// return: strength FLOAT |weight|
// return: se FLOAT standard error of weight over examples
// return: mean_abs FLOAT mean |weight| over examples
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH ()-[e:EDGE]->()
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank <= $edges
RETURN e.rank AS rank, e.source AS source, e.target AS target, e.port AS port,
       e.weight AS weight, e.strength AS strength, e.se AS se, e.mean_abs AS mean_abs
ORDER BY rank
