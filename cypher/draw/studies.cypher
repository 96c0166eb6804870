// What does the database hold: studies, models, checkpoints and what they show, drawn?
// mode: read
// param: study STRING = "" only this study; empty for all
// param: partition STRING = "own" kind of ROIs
// return: study MAP
// return: has_model MAP
// return: model MAP
// return: has_checkpoint MAP
// return: checkpoint MAP
// return: of MAP
// return: slot MAP
// return: published MAP
// return: version MAP
MATCH (study:Study)-[has_model:HAS_MODEL]->(model:Model)-[has_checkpoint:HAS_CHECKPOINT]->(checkpoint:Checkpoint)
WHERE $study = '' OR study.key = $study
MATCH (checkpoint)<-[of:OF]-(slot:Slot {partition: $partition})-[published:PUBLISHED]->(version:GraphVersion)
RETURN study, has_model, model, has_checkpoint, checkpoint, of, slot, published, version
ORDER BY study.key, model.key, checkpoint.step, slot.key
