// How many blocks of partitions that no version uses were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Marking the partition incomplete locks it, and tells a writer that comes now to write its blocks again; a writer that came
// before holds the same lock until its version is there, and is seen by the second question.
MATCH (partition:Partition)
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) }
SET partition.complete = false
WITH partition
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) }
MATCH (partition)-[:HAS_BLOCK]->(block:Block)
WITH block LIMIT $batch
DETACH DELETE block
RETURN count(*) AS removed
