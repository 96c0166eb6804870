// Was the emptied, condemned version removed?
// mode: write
// param: number INTEGER
// return: removed INTEGER
MATCH (v:GraphVersion {number: $number})
WHERE v.status <> 'published'
DETACH DELETE v
RETURN count(*) AS removed
