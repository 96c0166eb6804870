// Which edges has a version for one task?
// mode: read
// param: number INTEGER
// param: task STRING
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight FLOAT
// return: se FLOAT
// return: mean_abs FLOAT
// return: rank INTEGER
MATCH ()-[e:EDGE]->()
WHERE e.graph = $number AND e.task = $task AND e.rank >= 1
RETURN e.source AS source, e.target AS target, e.port AS port, e.weight AS weight, e.se AS se, e.mean_abs AS mean_abs, e.rank AS rank
