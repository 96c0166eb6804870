// Which ROIs of a version are not in exactly the one block of its partition that has their name?
// mode: read
// param: number INTEGER
// return: roi STRING
// return: blocks LIST<STRING> keys of the blocks they are in
MATCH (v:GraphVersion {number: $number})-[:HAS_ROI]->(roi:ROI)
OPTIONAL MATCH (roi)-[:IS]->(block:Block)
WITH v, roi, collect(block) AS blocks
WHERE size(blocks) <> 1 OR blocks[0].name <> roi.name OR NOT EXISTS { MATCH (v)-[:USES]->(:Partition)-[:HAS_BLOCK]->(own) WHERE own = blocks[0] }
RETURN roi.name AS roi, [block IN blocks | block.key] AS blocks
ORDER BY roi
LIMIT 100
