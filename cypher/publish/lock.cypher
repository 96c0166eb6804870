// Who holds the slot, after this writer asked for it?
// mode: write
// param: slot STRING key of the slot
// param: study STRING
// param: model STRING
// param: label STRING
// param: step INTEGER
// param: partition STRING
// param: path STRING
// param: run STRING this writer
// param: dead STRING = "" a writer that is known to have ended
// param: expiry_s INTEGER a heartbeat older than this no longer holds
// return: holder STRING the writer that holds the slot now
// return: age_s INTEGER seconds since its last heartbeat
// Writing `asked` locks the row before the holder is read: two writers cannot both find it free.
// A heartbeat from the future is as dead as an old one: the server's clock was set back, and who lives will beat again.
MERGE (study:Study {key: $study})
MERGE (model:Model {key: $study + '|' + $model})
  ON CREATE SET model.name = $model
MERGE (checkpoint:Checkpoint {key: $study + '|' + $model + '@' + $label})
  ON CREATE SET checkpoint.model = $model, checkpoint.label = $label, checkpoint.step = $step
MERGE (slot:Slot {key: $slot})
  ON CREATE SET slot.study = $study, slot.model = $model, slot.label = $label, slot.step = $step, slot.partition = $partition, slot.path = $path
SET slot.asked = datetime.realtime()
MERGE (study)-[:HAS_MODEL]->(model)
MERGE (model)-[:HAS_CHECKPOINT]->(checkpoint)
MERGE (slot)-[:OF]->(checkpoint)
WITH slot, slot.run IS NULL OR slot.run IN [$run, $dead] OR slot.heartbeat IS NULL
           OR abs(duration.inSeconds(slot.heartbeat, datetime.realtime()).seconds) >= $expiry_s AS free
SET slot.run = CASE WHEN free THEN $run ELSE slot.run END,
    slot.heartbeat = CASE WHEN free THEN datetime.realtime() ELSE slot.heartbeat END
RETURN slot.run AS holder, duration.inSeconds(slot.heartbeat, datetime.realtime()).seconds AS age_s
