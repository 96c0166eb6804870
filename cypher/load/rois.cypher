// How many ROIs were written?
// mode: write
// param: number INTEGER of the staged version
// param: partition STRING id of its partition
// param: rows LIST<MAP> name, index, site, layer, kind, size, label, is_rest
// return: written INTEGER
MATCH (v:GraphVersion {number: $number})
UNWIND $rows AS row
MATCH (block:Block {key: $partition + '|' + row.name})
CREATE (v)-[:HAS_ROI]->(:ROI {
  key: toString($number) + '|' + row.name, graph: $number, name: row.name, index: row.index, site: row.site, layer: row.layer, kind: row.kind,
  size: row.size, label: row.label, is_rest: row.is_rest
})-[:IS]->(block)
RETURN count(*) AS written
