// How many edges are in the database?
// mode: read
// return: edges INTEGER
MATCH ()-[e:EDGE]->()
RETURN count(e) AS edges
