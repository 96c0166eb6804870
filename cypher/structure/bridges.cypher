// Which ROIs join communities that are otherwise apart?
// participation = 1 - Σ over communities of (strength to it / strength to all)², 0 when everything stays in one (Guimerà and Amaral 2005).
// Of the newest division of the whole graph; communities are no finding unless above_null holds.
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING whose strengths: |Σ weight| over ports
// param: communities_of STRING = "(mixture)" the task whose strength was divided; (mixture) = all together
// param: limit INTEGER = 20 how many ROIs
// return: roi STRING
// return: label STRING
// return: community INTEGER 0 = the largest
// return: strength FLOAT to all ROIs in communities
// return: outside FLOAT the share of it that goes to other communities
// return: participation FLOAT from 0 to 1
// return: above_null BOOLEAN both z ≥ 5
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
CALL (v) {
  MATCH (v)<-[:OF]-(n:Analysis {kind: 'communities'})-[:FOUND]->(c:Community {task: $communities_of})
  WHERE c.edges IS NULL
  WITH n, collect(c) AS found ORDER BY n.created DESC, n.id LIMIT 1
  RETURN found
}
MATCH (u:ROI)-[e:EDGE]->(w:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task = $task AND e.rank >= 1
WITH found, u, w, abs(sum(e.weight)) AS strength
UNWIND [{r: u, o: w}, {r: w, o: u}] AS end
WITH found, end.r AS r, end.o AS o, strength
MATCH (r)-[:IN]->(c:Community)
WHERE c IN found
MATCH (o)-[:IN]->(d:Community)
WHERE d IN found
WITH r, c, d, sum(strength) AS part
WITH r, c, sum(part) AS strength, sum(part ^ 2) AS squares, sum(CASE WHEN d = c THEN 0.0 ELSE part END) AS outside
WHERE strength > 0.0
RETURN r.name AS roi, r.label AS label, c.index AS community, strength, outside / strength AS outside, 1.0 - squares / strength ^ 2 AS participation,
       c.above_null AS above_null
ORDER BY participation DESC, strength DESC, roi
LIMIT $limit
