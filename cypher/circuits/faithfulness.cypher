// How faithful are circuits of growing size to a task, under each way of choosing edges?
// Curves published by earlier versions have no complement, shares or MIB areas: those columns are empty.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// return: selection STRING weight (the strongest n), random (mean over draws), nodes, connected, greedy, magnitude, clean, inputs, exact
// return: n_edges INTEGER empty where there is no curve
// return: total INTEGER edges of the graph
// return: faithfulness FLOAT share of the effect that the circuit keeps
// return: low FLOAT
// return: high FLOAT
// return: kl FLOAT
// return: accuracy FLOAT
// return: complement FLOAT faithfulness of the graph without the circuit's edges
// return: features FLOAT share of heads and neurons that the circuit's ROIs hold
// return: parameters FLOAT share of their weights
// return: area FLOAT under the whole curve
// return: cpr_mib FLOAT area over the ten fractions of MIB
// return: cmd_mib FLOAT area of its distance from 1
// return: reason STRING no_effect where clean and corrupted do not differ
// return: n_examples INTEGER
// return: solved BOOLEAN a task that is not solved supports no claim
// return: analysis STRING
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)<-[:OF]-(a:Analysis {kind: 'faithfulness'})-[:FOUND]->(c:Circuit {task: $task})
RETURN c.selection AS selection, c.n_edges AS n_edges, c.total AS total, c.faithfulness AS faithfulness, c.low AS low, c.high AS high,
       c.kl AS kl, c.accuracy AS accuracy, c.complement AS complement, c.features AS features, c.parameters AS parameters,
       c.area AS area, c.cpr_mib AS cpr_mib, c.cmd_mib AS cmd_mib, c.reason AS reason, c.n_examples AS n_examples, c.solved AS solved, a.id AS analysis
ORDER BY analysis, selection DESC, n_edges
