// How many edges of a condemned version were removed?
// mode: write
// param: number INTEGER
// param: batch INTEGER
// return: removed INTEGER
MATCH (v:GraphVersion {number: $number})
WHERE v.status <> 'published'
MATCH (v)-[:HAS_ROI]->(:ROI)-[e:EDGE]->()
WITH e LIMIT $batch
DELETE e
RETURN count(*) AS removed
