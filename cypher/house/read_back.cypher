// Which edges has a version for one task from one rank to another, by source, and what is odd about them?
// mode: read
// param: number INTEGER
// param: task STRING
// param: first INTEGER smallest rank
// param: last INTEGER greatest rank
// return: source STRING
// return: target LIST<STRING> and, as lists of the same length:
// return: port LIST<STRING>
// return: weight LIST<FLOAT>
// return: se LIST<FLOAT>
// return: mean_abs LIST<FLOAT>
// return: rank LIST<INTEGER>
// return: odd INTEGER how many contradict their strength or their ends: house.crooked names them
// Columns by source travel three times as fast as a row per edge.
MATCH (a)-[e:EDGE]->(b)
WHERE e.graph = $number AND e.task = $task AND e.rank >= $first AND e.rank <= $last
WITH e, NOT (a.graph = e.graph AND b.graph = e.graph AND a.name = e.source AND b.name = e.target)
        OR e.strength IS NULL OR NOT e.strength = abs(e.weight) AS odd
RETURN e.source AS source, collect(e.target) AS target, collect(e.port) AS port, collect(e.weight) AS weight, collect(e.se) AS se,
       collect(e.mean_abs) AS mean_abs, collect(e.rank) AS rank, sum(CASE WHEN odd THEN 1 ELSE 0 END) AS odd
