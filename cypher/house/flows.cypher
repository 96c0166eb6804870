// What flows into and out of each ROI of a version?
// mode: read
// param: number INTEGER
// return: roi STRING
// return: task STRING
// return: inflow FLOAT sum of the weights into it
// return: outflow FLOAT sum of the weights out of it
MATCH (v:GraphVersion {number: $number})-[:HAS_ROI]->(roi:ROI)-[flow:FLOW]->(:Task)
RETURN roi.name AS roi, flow.task AS task, flow.inflow AS inflow, flow.outflow AS outflow
ORDER BY roi, task
