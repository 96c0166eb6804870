// How many blocks of the partition are there now?
// mode: write
// param: partition STRING id of the partition
// param: rows LIST<MAP> name, site, layer, members, is_rest, and the quality of the site where it was clustered
// return: written INTEGER
// A partition's id is made of its ROIs and their members, so two writers that meet here write the same.
MATCH (partition:Partition {id: $partition})
UNWIND $rows AS row
MERGE (block:Block {key: $partition + '|' + row.name})
  ON CREATE SET block.name = row.name, block.site = row.site, block.layer = row.layer, block.members = row.members, block.size = size(row.members),
    block.is_rest = row.is_rest, block.modularity = row.modularity, block.z_rotation = row.z_rotation, block.z_shuffle = row.z_shuffle,
    block.p_rotation = row.p_rotation, block.p_shuffle = row.p_shuffle,
    block.stability = row.stability, block.above_null = row.above_null
MERGE (partition)-[:HAS_BLOCK]->(block)
RETURN count(*) AS written
