// Which blocks hold other features than they say?
// mode: read
// param: derivable LIST<STRING> kinds of partition whose features are not written as nodes
// return: block STRING
// return: said INTEGER features by its own list
// return: held INTEGER features that it contains
MATCH (p:Partition)-[:HAS_BLOCK]->(b:Block)
WHERE p.complete AND NOT p.kind IN $derivable AND NOT b.is_rest
WITH b, count { (b)-[:CONTAINS]->(f:Feature) WHERE f.index IN b.members AND f.site = b.site } AS held
WHERE held <> b.size
RETURN b.key AS block, b.size AS said, held
ORDER BY block
LIMIT 1000
