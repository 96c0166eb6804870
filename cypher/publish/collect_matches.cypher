// How many matches of ROIs of a condemned version with those of others were removed?
// mode: write
// param: number INTEGER
// param: batch INTEGER
// return: removed INTEGER
// Before their analysis, so that no match is ever left without it.
MATCH (v:GraphVersion {number: $number})
WHERE v.status <> 'published'
MATCH (v)-[:HAS_ROI]->(:ROI)-[m:MATCHES]-()
WITH DISTINCT m LIMIT $batch
DELETE m
RETURN count(*) AS removed
