// Marks the partition as whole, so that the next graph on it writes none of its blocks again.
// mode: write
// param: partition STRING
MATCH (partition:Partition {id: $partition})
SET partition.complete = true
