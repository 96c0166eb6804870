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
// Seventeen neighbours at a time, so that memory does not grow with the sequence, and as many such parts at once as the server has cores.
// The last neighbour of a part is the first of the next. (In Neo4j Browser such a query begins with :auto.)
UNWIND range(0, size(marks) - 2, 16) AS start
WITH marks[start .. start + 17] AS marks
CALL (marks) {
  UNWIND range(0, size(marks) - 1) AS i
  MATCH ()-[e:EDGE]->()
  USING INDEX SEEK e:EDGE(graph, task, rank)
  WHERE e.graph = marks[i].number AND e.task = $task AND e.rank >= 1
  // Every checkpoint's edges are read once. seen: where, how strong, and whether among the n strongest, in the order of the checkpoints.
  WITH e.source AS source, e.target AS target, e.port AS port, collect([i, e.weight, CASE WHEN e.rank <= $edges THEN 1 ELSE 0 END]) AS seen
  // [to, change, strength, inside there and here]: an edge that stays, that enters, and that leaves.
  UNWIND [j IN range(0, size(seen) - 1) | CASE
      WHEN j > 0 AND seen[j - 1][0] = seen[j][0] - 1
        THEN [seen[j][0], abs(seen[j][1] - seen[j - 1][1]), abs(seen[j][1]) + abs(seen[j - 1][1]), seen[j][2] + seen[j - 1][2]]
      ELSE [seen[j][0], abs(seen[j][1]), abs(seen[j][1]), seen[j][2]] END]
    + [j IN range(0, size(seen) - 1) WHERE j = size(seen) - 1 OR seen[j + 1][0] > seen[j][0] + 1
      | [seen[j][0] + 1, abs(seen[j][1]), abs(seen[j][1]), seen[j][2]]] AS one
  WITH one[0] AS to, sum(one[1]) AS change, sum(one[2]) AS strength,
       sum(CASE WHEN one[3] = 2 THEN 1.0 ELSE 0.0 END) AS shared, sum(CASE WHEN one[3] > 0 THEN 1.0 ELSE 0.0 END) AS either
  WHERE to > 0 AND to < size(marks) AND either > 0.0
  RETURN to, change, strength, shared, either
} IN CONCURRENT TRANSACTIONS OF 1 ROW
WITH marks[to - 1] AS a, marks[to] AS b, change, strength, shared, either
RETURN a.step AS from_step, b.step AS to_step, a.label AS from_label, b.label AS to_label, change,
       CASE WHEN strength = 0.0 THEN 0.0 ELSE change / strength END AS relative, shared / either AS overlap
ORDER BY change DESC, from_step
