// Does this writer still hold the slot, now that its heart has beaten again?
// mode: write
// param: slot STRING
// param: run STRING
// return: held BOOLEAN true; no row at all if a newer writer holds the slot
// For the long steps between batches: reading back, comparing. Without a row the transaction is taken back.
MATCH (slot:Slot {key: $slot})
SET slot.heartbeat = datetime.realtime()
WITH slot
WHERE slot.run = $run
RETURN true AS held
