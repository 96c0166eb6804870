// How few edges keep a task's faithfulness at x or above?
// The smallest measured circuit of the strongest edges; n_edges is empty where no measured size reaches x.
// mode: read
// param: slot STRING the slot that is asked
// param: faithfulness FLOAT = 0.9 x
// return: task STRING
// return: n_edges INTEGER
// return: total INTEGER edges of the graph
// return: fraction FLOAT n_edges / total
// return: reached FLOAT faithfulness at that size
// return: low FLOAT
// return: high FLOAT
// return: solved BOOLEAN a task that is not solved supports no claim
// return: reason STRING no_effect where clean and corrupted do not differ
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)<-[:OF]-(:Analysis {kind: 'faithfulness'})-[:FOUND]->(c:Circuit {selection: 'weight'})
WITH c ORDER BY c.n_edges
WITH c.task AS task, collect(c) AS curve
WITH task, curve, head([c IN curve WHERE c.faithfulness >= $faithfulness]) AS least
RETURN task, least.n_edges AS n_edges, curve[0].total AS total, toFloat(least.n_edges) / curve[0].total AS fraction,
       least.faithfulness AS reached, least.low AS low, least.high AS high, curve[0].solved AS solved, curve[0].reason AS reason
ORDER BY task
