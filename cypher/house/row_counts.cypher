// How many edges, one per task, were written for each version?
// mode: read
// return: number INTEGER
// return: rows INTEGER
MATCH (v:GraphVersion)
RETURN v.number AS number, v.n_rows AS rows
ORDER BY number
