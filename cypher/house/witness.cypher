// What does a second reader find on the edges of a version?
// mode: read
// param: number INTEGER
// return: task STRING
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight FLOAT
// return: strength FLOAT
// It starts from the ROIs, not from the index of edges, so that an index gone wrong is seen as well.
MATCH (:GraphVersion {number: $number})-[:HAS_ROI]->(:ROI)-[e:EDGE]->(:ROI)
RETURN e.task AS task, e.source AS source, e.target AS target, e.port AS port, e.weight AS weight, e.strength AS strength
