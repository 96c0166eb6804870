// How many matches by signature between the ROIs of two versions were written?
// mode: write
// param: analysis STRING id of the analysis
// param: number_a INTEGER of the one version
// param: number_b INTEGER of the other
// param: rows LIST<MAP> a, b (ROI names), signature, assigned
// param: verdict MAP what roicg.numerics.matching.MatchVerdict holds, and within, tasks
// return: written INTEGER
MATCH (n:Analysis {id: $analysis})
SET n += $verdict
WITH n
UNWIND $rows AS row
MATCH (a:ROI {key: toString($number_a) + '|' + row.a})
MATCH (b:ROI {key: toString($number_b) + '|' + row.b})
CREATE (a)-[:MATCHES {analysis: n.id, signature: row.signature, assigned: row.assigned}]->(b)
RETURN count(*) AS written
