// Which versions may be collected: staged by a writer that is gone, or superseded for longer than any read lasts?
// mode: write
// param: slot STRING = "" only of this slot; empty for all
// param: expiry_s INTEGER a heartbeat older than this is dead
// param: grace_s INTEGER how long a superseded version stays for those who still read it
// return: number INTEGER
// Never what a slot shows: everything collected below is asked for its status again. Taking `run` away fences its writer off.
MATCH (v:GraphVersion)
WHERE v.status IN ['staged', 'superseded'] AND ($slot = '' OR v.slot = $slot)
OPTIONAL MATCH (slot:Slot {key: v.slot})
WITH v, slot
WHERE (v.status = 'superseded' AND v.superseded <= datetime.realtime() - duration({seconds: $grace_s}))
   OR (v.status = 'staged' AND (v.run IS NULL OR slot.run IS NULL OR slot.run <> v.run
                                OR slot.heartbeat < datetime.realtime() - duration({seconds: $expiry_s})))
REMOVE v.run
RETURN v.number AS number
ORDER BY number
