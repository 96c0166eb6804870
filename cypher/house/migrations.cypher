// Which schema files were applied to this database, and when?
// mode: read
// return: number INTEGER
// return: name STRING
// return: checksum STRING sha256 of the statement
// return: applied DATETIME
// return: by STRING version of roicg that applied it
MATCH (m:Migration)
RETURN m.number AS number, m.name AS name, m.checksum AS checksum, m.applied AS applied, m.by AS by
ORDER BY number
