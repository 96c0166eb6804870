// Which slots does a study have, and who holds them?
// mode: read
// param: study STRING
// return: slot STRING
// return: model STRING
// return: label STRING
// return: step INTEGER
// return: partition STRING
// return: path STRING
// return: holder STRING empty if nobody
MATCH (:Study {key: $study})-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(slot:Slot)
RETURN slot.key AS slot, slot.model AS model, slot.label AS label, slot.step AS step, slot.partition AS partition, slot.path AS path, slot.run AS holder
ORDER BY slot
