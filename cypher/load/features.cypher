// How many features were put into their blocks?
// mode: write
// param: partition STRING id of the partition
// param: owner STRING study|model, whose checkpoints share these features
// param: model STRING
// param: rows LIST<MAP> block, site, layer, index
// return: written INTEGER
UNWIND $rows AS row
MATCH (block:Block {key: $partition + '|' + row.block})
MERGE (feature:Feature {key: $owner + '|' + row.site + '|' + toString(row.index)})
  ON CREATE SET feature.model = $model, feature.site = row.site, feature.layer = row.layer, feature.index = row.index
MERGE (block)-[:CONTAINS]->(feature)
RETURN count(*) AS written
