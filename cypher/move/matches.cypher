// Which ROIs of a version did an analysis match, with which of another version?
// mode: read
// param: analysis STRING its id
// param: number INTEGER of the version that the matches start from
// return: a STRING
// return: b STRING
// return: other INTEGER number of the version of b
// return: match MAP all that is written on it
MATCH (:GraphVersion {number: $number})-[:HAS_ROI]->(a:ROI)-[m:MATCHES]->(b:ROI)
WHERE m.analysis = $analysis
RETURN a.name AS a, b.name AS b, b.graph AS other, properties(m) AS match
ORDER BY a, b
