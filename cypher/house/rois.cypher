// Which ROIs has a version, and which features do they hold?
// mode: read
// param: number INTEGER
// return: name STRING
// return: site STRING
// return: layer INTEGER
// return: kind STRING
// return: label STRING
// return: is_rest BOOLEAN
// return: members LIST<INTEGER>
MATCH (v:GraphVersion {number: $number})-[:HAS_ROI]->(roi:ROI)
OPTIONAL MATCH (roi)-[:IS]->(block:Block)
RETURN roi.name AS name, roi.site AS site, roi.layer AS layer, roi.kind AS kind, roi.label AS label, roi.is_rest AS is_rest, block.members AS members
ORDER BY roi.index
