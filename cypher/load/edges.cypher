// How many edges, one per task, were written?
// mode: write
// param: number INTEGER of the staged version
// param: groups LIST<MAP> a source and, as lists of one length, its target, port, task, weight, se, mean_abs, rank
// return: written INTEGER
// Grouped by source: each source is looked up and locked once, and lists travel faster than a map per edge.
// Plain CREATE: the constraint refuses what is there twice.
UNWIND $groups AS group
MATCH (source:ROI {key: toString($number) + '|' + group.source})
UNWIND range(0, size(group.target) - 1) AS i
MATCH (target:ROI {key: toString($number) + '|' + group.target[i]})
CREATE (source)-[:EDGE {
  graph: $number, source: group.source, target: group.target[i], port: group.port[i], task: group.task[i],
  weight: group.weight[i], strength: abs(group.weight[i]), se: group.se[i], mean_abs: group.mean_abs[i], rank: group.rank[i]
}]->(target)
RETURN count(*) AS written
