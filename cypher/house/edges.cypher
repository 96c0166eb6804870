// Which edges has a version for one task, from one rank to another?
// mode: read
// param: number INTEGER
// param: task STRING
// param: first INTEGER = 1 smallest rank
// param: last INTEGER = 9223372036854775807 greatest rank
// return: source STRING
// return: target STRING
// return: port STRING
// return: weight FLOAT
// return: se FLOAT
// return: mean_abs FLOAT
// return: rank INTEGER
MATCH ()-[e:EDGE]->()
WHERE e.graph = $number AND e.task = $task AND e.rank >= $first AND e.rank <= $last
RETURN e.source AS source, e.target AS target, e.port AS port, e.weight AS weight, e.se AS se, e.mean_abs AS mean_abs, e.rank AS rank
