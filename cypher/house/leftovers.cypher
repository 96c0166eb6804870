// Which versions can nobody see: staged by writers that are gone, or superseded for longer than any read lasts?
// mode: read
// param: expiry_s INTEGER = 60 a heartbeat older than this is dead
// param: grace_s INTEGER = 120 how long a superseded version stays for those who still read it
// return: number INTEGER
// return: slot STRING
// return: status STRING staged or superseded
// return: rows INTEGER rows that were written
MATCH (v:GraphVersion)
WHERE v.status IN ['staged', 'superseded']
OPTIONAL MATCH (slot:Slot {key: v.slot})
WITH v, CASE v.status
  WHEN 'superseded' THEN v.superseded IS NULL OR v.superseded <= datetime.realtime() - duration({seconds: $grace_s})
  ELSE v.run IS NULL OR slot.run IS NULL OR slot.run <> v.run OR slot.heartbeat IS NULL
       OR abs(duration.inSeconds(slot.heartbeat, datetime.realtime()).seconds) >= $expiry_s
END AS over
WHERE over
RETURN v.number AS number, v.slot AS slot, v.status AS status, coalesce(v.rows_done, 0) AS rows
ORDER BY number
