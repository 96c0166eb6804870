// How many blocks of partitions that no version uses were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Writing `asked` locks the partition before it is asked again: a writer that came before holds the same lock until its version
// is there. One that comes now is told by `complete` to write the blocks again.
MATCH (partition:Partition)
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) }
SET partition.asked = datetime.realtime()
WITH partition
WHERE NOT EXISTS { (:GraphVersion)-[:USES]->(partition) }
SET partition.complete = false
WITH partition
MATCH (partition)-[:HAS_BLOCK]->(block:Block)
WITH block LIMIT $batch
DETACH DELETE block
RETURN count(*) AS removed
