// Which edges at the ROIs of a version contradict themselves, their ends or their version?
// mode: read
// param: number INTEGER
// return: problem STRING
// return: edges INTEGER how many
// return: example STRING one of them
// By the rows of the ROIs: the index holds no edge without graph, task and rank.
MATCH (v:GraphVersion {number: $number})-[:HAS_ROI]->(a:ROI)-[e:EDGE]-(b)
WITH DISTINCT v, e
WITH v, e, startNode(e) AS a, endNode(e) AS b
WITH e, CASE
  WHEN e.graph IS NULL OR e.graph <> v.number THEN 'they name version ' + coalesce(toString(e.graph), 'none') + ' at the ROIs of version ' + toString(v.number)
  WHEN e.source IS NULL OR e.target IS NULL OR e.port IS NULL OR e.weight IS NULL THEN 'they lack source, target, port or weight'
  WHEN NOT (a.graph = e.graph AND b.graph = e.graph AND a.name = e.source AND b.name = e.target) THEN 'they name other ends than they have'
  WHEN e.task IS NULL OR NOT e.task IN v.tasks THEN 'their task is none of the version'
  WHEN e.rank IS NULL OR e.rank < 1 THEN 'their rank is not 1 or more'
  WHEN e.strength IS NULL OR NOT e.strength = abs(e.weight) THEN 'their strength is not |weight|'
END AS problem
WHERE problem IS NOT NULL
RETURN problem, count(*) AS edges,
       min(coalesce(e.source, '?') + ' → ' + coalesce(e.target, '?') + ' (' + coalesce(e.port, '?') + ', ' + coalesce(e.task, '?') + ')') AS example
ORDER BY problem
