// Which staged versions were left behind by writers that are gone?
// mode: read
// param: expiry_s INTEGER = 60 a heartbeat older than this is dead
// return: number INTEGER
// return: slot STRING
// return: rows INTEGER rows that were written
MATCH (v:GraphVersion {status: 'staged'})
OPTIONAL MATCH (slot:Slot {key: v.slot})
WITH v, slot
WHERE v.run IS NULL OR slot.run IS NULL OR slot.run <> v.run OR slot.heartbeat < datetime.realtime() - duration({seconds: $expiry_s})
RETURN v.number AS number, v.slot AS slot, v.rows_done AS rows
ORDER BY number
