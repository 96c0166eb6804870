// How many partitions that no version uses and that have no block were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
MATCH (partition:Partition)
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) } AND NOT EXISTS { (partition)-[:HAS_BLOCK]->() }
WITH partition LIMIT $batch
SET partition.asked = datetime.realtime()
WITH partition
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) } AND NOT EXISTS { (partition)-[:HAS_BLOCK]->() }
DETACH DELETE partition
RETURN count(*) AS removed
