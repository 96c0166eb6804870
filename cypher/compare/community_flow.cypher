// Which communities of one checkpoint flow into which of another?
// Two communities share the features that ROIs of both hold; chance is what a community would give if its features were dealt out by size.
// Of each graph the newest division of its whole is taken; no rows before there is one. A community is no finding unless above_null holds.
// mode: read
// param: slot_a STRING the slot compared from
// param: slot_b STRING the slot compared to
// param: kind STRING = "communities" or roles
// param: communities_of STRING = "(mixture)" the task whose strength was divided; (mixture) = all together
// return: community_a INTEGER 0 = the largest
// return: community_b INTEGER
// return: shared INTEGER features in both
// return: share_a FLOAT of the features of community_a
// return: share_b FLOAT of the features of community_b
// return: chance FLOAT share of community_b in the features of all communities there
// return: size_a INTEGER ROIs of community_a
// return: size_b INTEGER
// return: above_null_a BOOLEAN whether the division of the one graph stands above both its nulls
// return: above_null_b BOOLEAN
MATCH (:Slot {key: $slot_a})-[:PUBLISHED]->(va:GraphVersion), (:Slot {key: $slot_b})-[:PUBLISHED]->(vb:GraphVersion)
CALL (va) {
  MATCH (va)<-[:OF]-(n:Analysis {kind: $kind})-[:FOUND]->(c:Community {task: $communities_of})
  WHERE c.edges IS NULL
  WITH n, collect(c) AS found ORDER BY n.created DESC, n.id LIMIT 1
  RETURN found AS here
}
CALL (vb) {
  MATCH (vb)<-[:OF]-(n:Analysis {kind: $kind})-[:FOUND]->(c:Community {task: $communities_of})
  WHERE c.edges IS NULL
  WITH n, collect(c) AS found ORDER BY n.created DESC, n.id LIMIT 1
  UNWIND found AS c
  MATCH (c)<-[:IN]-(r:ROI)
  WITH found, c, sum(r.size) AS size
  RETURN found AS there, sum(size) AS all
}
UNWIND here AS ca
UNWIND there AS cb
CALL (ca, cb) {
  MATCH (ca)<-[:IN]-(:ROI)-[:IS]->(a:Block)
  MATCH (cb)<-[:IN]-(:ROI)-[:IS]->(b:Block {site: a.site})
  RETURN sum(size([i IN a.members WHERE i IN b.members])) AS shared
}
CALL (ca) {
  MATCH (ca)<-[:IN]-(r:ROI)
  RETURN sum(r.size) AS features_a
}
CALL (cb) {
  MATCH (cb)<-[:IN]-(r:ROI)
  RETURN sum(r.size) AS features_b
}
WITH ca, cb, shared, features_a, features_b, all
WHERE shared > 0
RETURN ca.index AS community_a, cb.index AS community_b, shared, toFloat(shared) / features_a AS share_a, toFloat(shared) / features_b AS share_b,
       toFloat(features_b) / all AS chance, ca.size AS size_a, cb.size AS size_b, ca.above_null AS above_null_a, cb.above_null AS above_null_b
ORDER BY community_a, shared DESC, community_b
