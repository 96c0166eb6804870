// How many slots are held no longer by writers that are gone?
// mode: write
// param: expiry_s INTEGER a heartbeat older than this is dead
// return: removed INTEGER
// Writing `asked` locks the slot before it is asked again.
MATCH (held:Slot)
WHERE held.run IS NOT NULL AND (held.heartbeat IS NULL OR abs(duration.inSeconds(held.heartbeat, datetime.realtime()).seconds) >= $expiry_s)
SET held.asked = datetime.realtime()
WITH held.key AS key
MATCH (slot:Slot {key: key})
WHERE slot.run IS NOT NULL AND (slot.heartbeat IS NULL OR abs(duration.inSeconds(slot.heartbeat, datetime.realtime()).seconds) >= $expiry_s)
REMOVE slot.run, slot.heartbeat
RETURN count(*) AS removed
