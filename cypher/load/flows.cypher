// How many flows, one per ROI and task, were written?
// mode: write
// param: number INTEGER of the staged version
// param: study STRING
// param: rows LIST<MAP> roi, task, inflow, outflow
// return: written INTEGER
UNWIND $rows AS row
MATCH (roi:ROI {key: toString($number) + '|' + row.roi})
MATCH (task:Task {key: $study + '|' + row.task})
CREATE (roi)-[:FLOW {graph: $number, task: row.task, inflow: row.inflow, outflow: row.outflow}]->(task)
RETURN count(*) AS written
