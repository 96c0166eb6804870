// Which edges contradict themselves, their ends or their version?
// mode: read
// return: number INTEGER the version they claim
// return: problem STRING
// return: edges INTEGER how many
// return: example STRING one of them
MATCH (a)-[e:EDGE]->(b)
OPTIONAL MATCH (v:GraphVersion {number: e.graph})
WITH e, CASE
  WHEN v IS NULL THEN 'their version does not exist'
  WHEN NOT (a.graph = e.graph AND b.graph = e.graph AND a.name = e.source AND b.name = e.target) THEN 'they name other ends than they have'
  WHEN NOT e.strength = abs(e.weight) OR e.strength IS NULL THEN 'their strength is not |weight|'
  WHEN NOT e.task IN v.tasks THEN 'their task is none of the version'
  WHEN e.rank IS NULL OR e.rank < 1 THEN 'their rank is not 1 or more'
END AS problem
WHERE problem IS NOT NULL
RETURN e.graph AS number, problem, count(*) AS edges, min(e.source + ' → ' + e.target + ' (' + e.port + ', ' + e.task + ')') AS example
ORDER BY number, problem
