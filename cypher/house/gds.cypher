// Which version of Graph Data Science is installed?
// mode: read
// return: version STRING
RETURN gds.version() AS version
