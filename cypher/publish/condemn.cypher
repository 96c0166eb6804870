// Which versions may be collected: staged by a writer that is gone, or superseded for longer than any read lasts?
// mode: write
// param: slot STRING = "" only of this slot; empty for all
// param: expiry_s INTEGER a heartbeat older than this is dead
// param: grace_s INTEGER how long a superseded version stays for those who still read it
// return: number INTEGER
// return: slot STRING
// return: status STRING staged or superseded
// return: rows INTEGER rows that were written
// Never what a slot shows. Taking `run` away locks the version and fences its writer off; what was published until then is left out.
MATCH (v:GraphVersion)
WHERE v.status IN ['staged', 'superseded'] AND ($slot = '' OR v.slot = $slot)
OPTIONAL MATCH (slot:Slot {key: v.slot})
WITH v, CASE v.status
  WHEN 'superseded' THEN v.superseded IS NULL OR v.superseded <= datetime.realtime() - duration({seconds: $grace_s})
  ELSE v.run IS NULL OR slot.run IS NULL OR slot.run <> v.run OR slot.heartbeat IS NULL
       OR abs(duration.inSeconds(slot.heartbeat, datetime.realtime()).seconds) >= $expiry_s
END AS over
WHERE over
REMOVE v.run
WITH v
MATCH (again:GraphVersion {number: v.number})
WHERE again.status <> 'published' AND NOT EXISTS { (:Slot)-[:PUBLISHED]->(again) }
RETURN again.number AS number, again.slot AS slot, again.status AS status, coalesce(again.rows_done, 0) AS rows
ORDER BY number
