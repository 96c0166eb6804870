// Which analyses does a version have, and of which versions are they?
// mode: read
// param: number INTEGER of the version
// return: analysis STRING its id
// return: kind STRING
// return: params STRING parameters as JSON
// return: numbers LIST<INTEGER> of all its versions, by step
// return: properties MAP all that is written on it
MATCH (:GraphVersion {number: $number})<-[:OF]-(a:Analysis)
MATCH (a)-[:OF]->(v:GraphVersion)
WITH DISTINCT a, v ORDER BY v.step, v.id
WITH a, collect(v.number) AS numbers
RETURN a.id AS analysis, a.kind AS kind, a.params AS params, numbers, properties(a) AS properties
ORDER BY analysis
