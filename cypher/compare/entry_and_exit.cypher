// At which checkpoint does each edge enter and leave the circuit of n edges?
// 1. An edge is inside at a checkpoint where its rank is at most n.
// 2. It enters where it is inside and either inside at the next checkpoint too or |weight| > 2 se.
// 3. It leaves where it is outside and either outside at the next checkpoint too or |weight| ≤ 2 se (or not in the graph).
// One lucky checkpoint is no entry. Only for slots with one node set (partition reference or components).
// mode: read
// param: slot STRING any slot of the sequence: same model, partition and path
// param: task STRING
// param: edges INTEGER = 20 n, the number of edges
// return: step INTEGER
// return: label STRING of the checkpoint
// return: event STRING enter or exit
// return: source STRING
// return: target STRING
// return: port STRING
// return: reason STRING two checkpoints, beyond 2 se, within 2 se
MATCH (s:Slot {key: $slot})-[:PUBLISHED]->(:GraphVersion)-[:USES]->(p:Partition)
MATCH (s)-[:OF]->(:Checkpoint)<-[:HAS_CHECKPOINT]-(m:Model)
MATCH (m)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(o:Slot {partition: s.partition, path: s.path})
MATCH (o)-[:PUBLISHED]->(v:GraphVersion)-[:USES]->(p)
WITH v, o ORDER BY o.step, o.label
WITH collect({number: v.number, step: o.step, label: o.label}) AS marks
UNWIND range(0, size(marks) - 1) AS i
MATCH ()-[e:EDGE]->()
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = marks[i].number AND e.task = $task AND e.rank <= $edges
WITH marks, e.source AS source, e.target AS target, e.port AS port, collect(i) AS inside,
     collect(CASE WHEN e.strength > 2 * e.se THEN i END) AS clear
CALL (marks, source, target, port, inside) {
  UNWIND [i IN inside WHERE i + 1 < size(marks) AND NOT i + 1 IN inside | i + 1] AS i
  OPTIONAL MATCH ()-[e:EDGE]->()
  USING INDEX SEEK e:EDGE(graph, source, target, port, task)
  WHERE e.graph = marks[i].number AND e.source = source AND e.target = target AND e.port = port AND e.task = $task
  RETURN collect(CASE WHEN e IS NULL OR e.strength <= 2 * e.se THEN i END) AS faded
}
WITH marks, source, target, port, reduce(state = {inside: false, events: []}, i IN range(0, size(marks) - 1) |
  CASE
    WHEN NOT state.inside AND i IN inside AND i + 1 IN inside THEN {inside: true, events: state.events + [{i: i, event: 'enter', reason: 'two checkpoints'}]}
    WHEN NOT state.inside AND i IN clear THEN {inside: true, events: state.events + [{i: i, event: 'enter', reason: 'beyond 2 se'}]}
    WHEN state.inside AND NOT i IN inside AND i + 1 < size(marks) AND NOT i + 1 IN inside
      THEN {inside: false, events: state.events + [{i: i, event: 'exit', reason: 'two checkpoints'}]}
    WHEN state.inside AND i IN faded THEN {inside: false, events: state.events + [{i: i, event: 'exit', reason: 'within 2 se'}]}
    ELSE state
  END).events AS events
UNWIND events AS x
RETURN marks[x.i].step AS step, marks[x.i].label AS label, x.event AS event, source, target, port, x.reason AS reason
ORDER BY step, label, event, source, target, port
