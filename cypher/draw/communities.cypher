// Which ROIs lie in which community, or play which role, drawn?
// mode: read
// param: slot STRING the slot that is asked
// param: kind STRING = "communities" communities or roles
// return: analysis MAP that found them
// return: found MAP
// return: community MAP
// return: lies_in MAP
// return: roi MAP
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)<-[:OF]-(analysis:Analysis {kind: $kind})
MATCH (analysis)-[found:FOUND]->(community:Community)<-[lies_in:IN]-(roi:ROI)
RETURN analysis, found, community, lies_in, roi
ORDER BY analysis.id, community.index, roi.name
