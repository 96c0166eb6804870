// How many analyses of a condemned version were removed?
// mode: write
// param: number INTEGER
// param: batch INTEGER
// return: removed INTEGER
MATCH (v:GraphVersion {number: $number})
WHERE v.status <> 'published'
MATCH (v)<-[:OF]-(analysis:Analysis)
WITH DISTINCT analysis LIMIT $batch
DETACH DELETE analysis
RETURN count(*) AS removed
