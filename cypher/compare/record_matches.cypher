// How many matches between the ROIs of two versions were written?
// mode: write
// param: analysis STRING id of the analysis
// param: number_a INTEGER of the one version
// param: number_b INTEGER of the other
// param: rows LIST<MAP> a, b (ROI names), jaccard
// return: written INTEGER
UNWIND $rows AS row
MATCH (a:ROI {key: toString($number_a) + '|' + row.a})
MATCH (b:ROI {key: toString($number_b) + '|' + row.b})
CREATE (a)-[:MATCHES {analysis: $analysis, jaccard: row.jaccard}]->(b)
RETURN count(*) AS written
