// How many rows had this staged version before this batch; no row at all if a newer writer holds the slot?
// mode: write
// param: number INTEGER
// param: id STRING
// param: run STRING
// param: before INTEGER rows written before this batch
// param: rows INTEGER rows of this batch
// return: done INTEGER rows that were written before
// First statement of every batch: it locks the version and the slot, and proves that the slot is still ours.
// A batch that was committed although its answer got lost is repeated by the driver; then done is before + rows, and nothing moves.
MATCH (v:GraphVersion {number: $number})
WHERE v.id = $id AND v.run = $run AND v.status = 'staged'
MATCH (slot:Slot {key: v.slot})
WHERE slot.run = $run
SET slot.heartbeat = datetime.realtime(), v.heartbeat = datetime.realtime()
WITH v, v.rows_done AS done
SET v.rows_done = CASE WHEN done = $before THEN $before + $rows ELSE done END
RETURN done
