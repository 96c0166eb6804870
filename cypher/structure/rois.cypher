// Which ROIs does the graph have, and are their groups real?
// mode: read
// param: slot STRING the slot that is asked
// return: roi STRING
// return: site STRING
// return: kind STRING tok, attention, mlp or logits
// return: size INTEGER features of the ROI
// return: label STRING
// return: is_rest BOOLEAN dead features
// return: above_null BOOLEAN whether the site's groups stand above both nulls (z ≥ 5); empty where nothing was clustered
// return: modularity FLOAT of the site's groups on the similarity of its features
// return: z_rotation FLOAT
// return: z_shuffle FLOAT
// return: p_rotation FLOAT
// return: p_shuffle FLOAT
// return: stability FLOAT
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_ROI]->(r:ROI)
OPTIONAL MATCH (r)-[:IS]->(b:Block)
RETURN r.name AS roi, r.site AS site, r.kind AS kind, r.size AS size, r.label AS label, r.is_rest AS is_rest,
       b.above_null AS above_null, b.modularity AS modularity, b.z_rotation AS z_rotation, b.z_shuffle AS z_shuffle,
       b.p_rotation AS p_rotation, b.p_shuffle AS p_shuffle, b.stability AS stability
ORDER BY CASE kind WHEN 'tok' THEN 0 WHEN 'logits' THEN 2 ELSE 1 END, r.layer, site, is_rest, size DESC, roi
