// Which server is this?
// mode: read
// return: name STRING
// return: version STRING
// return: edition STRING community or enterprise
CALL dbms.components() YIELD name, versions, edition
WHERE name = 'Neo4j Kernel'
RETURN name, versions[0] AS version, edition
