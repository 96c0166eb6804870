// Do the edges into each port group add up to the group's effect?
// mode: read
// param: slot STRING the slot that is asked
// return: task STRING
// return: port_group STRING
// return: effect FLOAT metric with the clean input less metric with the group's whole input corrupted
// return: gap FLOAT effect less the sum of the edges' weights
// return: relative FLOAT |gap| / |effect|; empty where the effect is 0
// return: steps INTEGER points of the path
// return: method STRING the path, or exact where the group fell back
// return: complete BOOLEAN the gap is within the study's tolerance
// return: saturated BOOLEAN zero gradient at every point although the effect is not 0
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)-[:HAS_PORT_GROUP]->(g:PortGroup)
RETURN g.task AS task, g.name AS port_group, g.effect AS effect, g.gap AS gap,
       CASE WHEN g.effect = 0.0 THEN null ELSE abs(g.gap / g.effect) END AS relative,
       g.steps AS steps, g.method AS method, g.complete AS complete, g.saturated AS saturated
ORDER BY task, port_group
