// How many port groups, one per task, were written?
// mode: write
// param: number INTEGER of the staged version
// param: rows LIST<MAP> name, index, layer, port, task, effect, gap, steps, method, complete, saturated
// return: written INTEGER
MATCH (v:GraphVersion {number: $number})
UNWIND $rows AS row
CREATE (v)-[:HAS_PORT_GROUP]->(:PortGroup {
  key: toString($number) + '|' + row.name + '|' + row.task, graph: $number, name: row.name, index: row.index, layer: row.layer, port: row.port,
  task: row.task, effect: row.effect, gap: row.gap, steps: row.steps, method: row.method, complete: row.complete, saturated: row.saturated
})
RETURN count(*) AS written
