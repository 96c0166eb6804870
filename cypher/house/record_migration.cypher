// Was this schema file applied before, and as what?
// mode: write
// param: number INTEGER
// param: name STRING
// param: checksum STRING
// param: by STRING version of roicg
// return: fresh BOOLEAN whether it is recorded only now
// return: name STRING as recorded
// return: checksum STRING as recorded
// Writing `asked` locks the record before it is asked: of two processes one finds it fresh.
MERGE (m:Migration {number: $number})
SET m.asked = datetime.realtime()
WITH m, m.applied IS NULL AS fresh
SET m.name = coalesce(m.name, $name), m.checksum = coalesce(m.checksum, $checksum),
    m.applied = coalesce(m.applied, datetime.realtime()), m.by = coalesce(m.by, $by)
REMOVE m.asked
RETURN fresh, m.name AS name, m.checksum AS checksum
