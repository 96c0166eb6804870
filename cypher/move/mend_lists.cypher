// How many lists were put back that neo4j-admin leaves out of an import, because they are empty?
// mode: write
// return: mended INTEGER
CALL () {
  MATCH (n:Block) WHERE n.members IS NULL
  SET n.members = []
  RETURN n
UNION ALL
  MATCH (n:Table) WHERE n.rows IS NULL OR n.columns IS NULL
  SET n.rows = coalesce(n.rows, []), n.columns = coalesce(n.columns, [])
  RETURN n
UNION ALL
  MATCH (n:GraphVersion) WHERE n.tasks IS NULL OR n.weight_sums IS NULL OR n.strength_sums IS NULL
  SET n.tasks = coalesce(n.tasks, []), n.weight_sums = coalesce(n.weight_sums, []), n.strength_sums = coalesce(n.strength_sums, [])
  RETURN n
}
RETURN count(n) AS mended
