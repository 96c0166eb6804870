// Which communities did an analysis find, and which ROIs are in them?
// mode: read
// param: analysis STRING its id
// return: community MAP all that is written on each
// return: rois LIST<STRING>
MATCH (:Analysis {id: $analysis})-[:FOUND]->(c:Community)
CALL (c) {
  MATCH (r:ROI)-[:IN]->(c)
  WITH r ORDER BY r.name
  RETURN collect(r.name) AS rois
}
RETURN properties(c) AS community, rois
ORDER BY c.index
