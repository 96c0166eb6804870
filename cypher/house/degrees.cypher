// How many edges leave and enter the ROIs of each version, by the rows of the ROIs and not by the index?
// mode: read
// return: number INTEGER
// return: leaving INTEGER
// return: entering INTEGER
MATCH (v:GraphVersion)
CALL (v) {
  MATCH (v)-[:HAS_ROI]->(roi:ROI)
  RETURN sum(count { (roi)-[:EDGE]->() }) AS leaving, sum(count { (roi)<-[:EDGE]-() }) AS entering
}
RETURN v.number AS number, leaving, entering
ORDER BY number
