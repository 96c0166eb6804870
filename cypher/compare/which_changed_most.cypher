// Between which neighbouring checkpoints did a task's edges change most?
// Only for slots with one node set (partition reference or components); an edge that one side lacks counts as 0 there.
// mode: read
// param: slot STRING any slot of the sequence: same model, partition and path
// param: task STRING
// param: edges INTEGER = 50 n, whose overlap is shown
// return: from_step INTEGER
// return: to_step INTEGER
// return: from_label STRING
// return: to_label STRING
// return: change FLOAT Σ over edges of |weight there - weight here|
// return: relative FLOAT change over the sum of both strengths, from 0 to 1
// return: overlap FLOAT Jaccard of the n strongest edges
MATCH (s:Slot {key: $slot})-[:PUBLISHED]->(:GraphVersion)-[:USES]->(p:Partition)
MATCH (s)-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(m:Model)
MATCH (m)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(o:Slot {partition: s.partition, path: s.path})
MATCH (o)-[:PUBLISHED]->(v:GraphVersion)-[:USES]->(p)
WITH v, o ORDER BY o.step, o.label
WITH collect({number: v.number, step: o.step, label: o.label}) AS marks
UNWIND range(1, size(marks) - 1) AS i
WITH marks[i - 1] AS a, marks[i] AS b
CALL (a, b) {
  UNWIND [{number: a.number, sign: -1}, {number: b.number, sign: 1}] AS end
  MATCH ()-[e:EDGE]->()
  USING INDEX SEEK e:EDGE(graph, task, rank)
  WHERE e.graph = end.number AND e.task = $task AND e.rank >= 1
  WITH e.source AS source, e.target AS target, e.port AS port, sum(end.sign * e.weight) AS difference, sum(e.strength) AS strength,
       sum(CASE WHEN e.rank <= $edges THEN 1 ELSE 0 END) AS inside
  RETURN sum(abs(difference)) AS change, sum(strength) AS strength,
         sum(CASE WHEN inside = 2 THEN 1.0 ELSE 0.0 END) AS shared, sum(CASE WHEN inside > 0 THEN 1.0 ELSE 0.0 END) AS either
}
WITH a, b, change, strength, shared, either
WHERE either > 0.0
RETURN a.step AS from_step, b.step AS to_step, a.label AS from_label, b.label AS to_label, change,
       CASE WHEN strength = 0.0 THEN 0.0 ELSE change / strength END AS relative, shared / either AS overlap
ORDER BY change DESC, from_step
