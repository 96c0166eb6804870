// How many circuits did this analysis find?
// mode: write
// param: analysis STRING id of the analysis
// param: rows LIST<MAP> task, selection, n_edges, total, faithfulness, low, high, kl, accuracy, complement, features, parameters, area, cpr_mib, cmd_mib, reason, n_examples, solved
// return: written INTEGER
MATCH (analysis:Analysis {id: $analysis})
UNWIND $rows AS row
CREATE (analysis)-[:FOUND]->(:Circuit {
  key: $analysis + '|' + row.task + '|' + row.selection + '|' + coalesce(toString(row.n_edges), 'none'),
  task: row.task, selection: row.selection, n_edges: row.n_edges, total: row.total, faithfulness: row.faithfulness, low: row.low, high: row.high,
  kl: row.kl, accuracy: row.accuracy, complement: row.complement, features: row.features, parameters: row.parameters,
  area: row.area, cpr_mib: row.cpr_mib, cmd_mib: row.cmd_mib, reason: row.reason, n_examples: row.n_examples, solved: row.solved
})
RETURN count(*) AS written
