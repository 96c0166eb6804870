// How many partitions that no version uses and that have no block were removed?
// mode: write
// return: removed INTEGER
MATCH (partition:Partition)
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) } AND NOT EXISTS { (partition)-[:HAS_BLOCK]->() }
SET partition.complete = false
WITH partition
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) }
DETACH DELETE partition
RETURN count(*) AS removed
