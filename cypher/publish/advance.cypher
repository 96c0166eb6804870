// How many rows had this staged version before this batch; no row at all if a newer writer holds the slot?
// mode: write
// param: slot STRING
// param: number INTEGER
// param: id STRING
// param: run STRING
// param: before INTEGER rows written before this batch
// param: rows INTEGER rows of this batch
// return: done INTEGER rows that were written before
// First statement of every batch. Slot and version are written to, and so locked, before they are asked whose they are: a writer
// that waited here while it was fenced off must not go on with the answer of before. Without a row the batch is taken back.
// A batch that was committed although its answer got lost is repeated by the driver; then done is before + rows, and nothing moves.
MATCH (slot:Slot {key: $slot})
SET slot.heartbeat = datetime.realtime()
WITH slot
WHERE slot.run = $run
MATCH (v:GraphVersion {number: $number})
SET v.heartbeat = datetime.realtime()
WITH v
WHERE v.id = $id AND v.run = $run AND v.status = 'staged'
WITH v, v.rows_done AS done
SET v.rows_done = CASE WHEN done = $before THEN $before + $rows ELSE done END
RETURN done
