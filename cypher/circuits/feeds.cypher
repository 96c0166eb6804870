// What feeds this ROI in a task, strongest first?
// mode: read
// param: slot STRING the slot that is asked
// param: task STRING
// param: roi STRING name of the ROI that reads, such as m0.r3
// param: limit INTEGER = 20 how many edges
// return: source STRING
// return: port STRING the port through which the ROI reads it
// return: weight FLOAT signed, in metric units
// return: strength FLOAT
// return: se FLOAT
// return: rank INTEGER
// return: share FLOAT strength over the strength of all edges into the ROI
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r:ROI {name: $roi})
MATCH (r)<-[e:EDGE]-(:ROI)
WHERE e.graph = v.number AND e.task = $task
WITH sum(e.strength) AS total, collect(e) AS edges
UNWIND edges AS e
RETURN e.source AS source, e.port AS port, e.weight AS weight, e.strength AS strength, e.se AS se, e.rank AS rank,
       CASE WHEN total = 0.0 THEN 0.0 ELSE e.strength / total END AS share
ORDER BY rank
LIMIT $limit
