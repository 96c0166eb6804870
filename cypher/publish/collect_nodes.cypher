// How many ROIs and port groups of a condemned version were removed?
// mode: write
// param: number INTEGER
// param: batch INTEGER
// return: removed INTEGER
MATCH (v:GraphVersion {number: $number})
WHERE v.status <> 'published'
MATCH (v)-[:HAS_ROI|HAS_PORT_GROUP]->(n)
WITH n LIMIT $batch
DETACH DELETE n
RETURN count(*) AS removed
