// How well does the sum law hold in each port group of a version?
// mode: read
// param: number INTEGER
// return: name STRING
// return: task STRING
// return: effect FLOAT
// return: gap FLOAT
// return: steps INTEGER
// return: method STRING
// return: complete BOOLEAN
// return: saturated BOOLEAN
MATCH (v:GraphVersion {number: $number})-[:HAS_PORT_GROUP]->(p:PortGroup)
RETURN p.name AS name, p.task AS task, p.effect AS effect, p.gap AS gap, p.steps AS steps, p.method AS method, p.complete AS complete, p.saturated AS saturated
ORDER BY p.index
