// How many findings of the analyses of a condemned version were removed?
// mode: write
// param: number INTEGER
// param: batch INTEGER
// return: removed INTEGER
MATCH (v:GraphVersion {number: $number})
WHERE v.status <> 'published'
MATCH (v)<-[:OF]-(:Analysis)-[:FOUND]->(found)
WITH DISTINCT found LIMIT $batch
DETACH DELETE found
RETURN count(*) AS removed
