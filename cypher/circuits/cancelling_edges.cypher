// Which edges matter prompt by prompt but cancel out in the mean?
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: ratio FLOAT = 0.5 strength over mean_abs, at most
// param: limit INTEGER = 20 how many edges
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight FLOAT signed, in metric units
// return: strength FLOAT |weight|: what is left of the effects in the mean
// return: mean_abs FLOAT mean |weight| over examples: how large the effects are
// return: hidden FLOAT mean_abs - strength
// return: rank INTEGER
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH ()-[e:EDGE]->()
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank >= 1 AND e.mean_abs > 0.0 AND e.strength <= $ratio * e.mean_abs
RETURN e.source AS source, e.target AS target, e.port AS port, e.weight AS weight, e.strength AS strength,
       e.mean_abs AS mean_abs, e.mean_abs - e.strength AS hidden, e.rank AS rank
ORDER BY hidden DESC, rank
LIMIT $limit
