// What is written on a version?
// mode: read
// param: number INTEGER
// return: version MAP all its properties
MATCH (v:GraphVersion {number: $number})
RETURN properties(v) AS version
