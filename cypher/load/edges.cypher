// How many edges, one per task, were written?
// mode: write
// param: number INTEGER of the staged version
// param: groups LIST<MAP> source and its rows: target, port, task, weight, se, mean_abs, rank
// return: written INTEGER
// Grouped by source: each source is looked up and locked once. Plain CREATE: the constraint refuses what is there twice.
UNWIND $groups AS group
MATCH (source:ROI {key: toString($number) + '|' + group.source})
UNWIND group.rows AS row
MATCH (target:ROI {key: toString($number) + '|' + row.target})
CREATE (source)-[:EDGE {
  graph: $number, source: group.source, target: row.target, port: row.port, task: row.task,
  weight: row.weight, strength: abs(row.weight), se: row.se, mean_abs: row.mean_abs, rank: row.rank
}]->(target)
RETURN count(*) AS written
