// How much do the circuits of two tasks overlap?
// Jaccard of their n strongest edges; expected = the same for two random draws of n of all edges.
// mode: read
// param: slot STRING the slot that is asked
// param: edges INTEGER = 50 n, for each task
// return: task_a STRING
// return: task_b STRING
// return: shared INTEGER edges in both
// return: either INTEGER edges in one or both
// return: jaccard FLOAT shared / either
// return: expected FLOAT
// return: solved BOOLEAN both tasks are solved; else the overlap supports no claim
MATCH (s:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)-[:HAS_PORT_GROUP]->(a:PortGroup {name: 'logits.in'}), (v)-[:HAS_PORT_GROUP]->(b:PortGroup {name: 'logits.in'})
WHERE a.task < b.task
CALL (v, a, b) {
  MATCH ()-[e:EDGE]->()
  USING INDEX SEEK e:EDGE(graph, task, rank)
  WHERE e.graph = v.number AND e.task IN [a.task, b.task] AND e.rank <= $edges
  WITH e.source AS source, e.target AS target, e.port AS port, count(e) AS times
  RETURN count(*) AS either, sum(times - 1) AS shared
}
WITH s, v, a.task AS task_a, b.task AS task_b, shared, either, toFloat(CASE WHEN $edges < v.n_edges THEN $edges ELSE v.n_edges END) AS n
RETURN task_a, task_b, shared, either, toFloat(shared) / either AS jaccard, (n / v.n_edges) / (2 - n / v.n_edges) AS expected,
       all(name IN [task_a, task_b] WHERE EXISTS {
         MATCH (s)-[:OF]->(:Checkpoint)-[score:SCORED]->(:Task {name: name}) WHERE score.split = 'eval' AND score.solved
       }) AS solved
ORDER BY jaccard DESC, task_a, task_b
