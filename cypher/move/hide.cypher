// Which slots of a study, all held by this writer, show nothing from now on?
// mode: write
// param: study STRING
// param: run STRING
// param: slots LIST<STRING> keys of the slots that it holds
// return: hidden INTEGER slots that are gone; no row at all if the study has other slots than these, or one is no longer this writer's
// return: superseded INTEGER versions that no slot shows any more
// return: kept INTEGER versions that slots of other studies go on showing
// return: tables INTEGER tables of findings that are gone
// After publish.turn, in its transaction: the whole study is gone from one moment to the next, and gc can do the rest.
// Slots are written to, and so locked, before they are asked. A version that stays is handed over to a slot that shows it.
MATCH (study:Study {key: $study})
SET study.asked = datetime.realtime()
WITH study
CALL (study) {
  MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(slot:Slot)
  SET slot.heartbeat = datetime.realtime()
  WITH slot
  RETURN collect(slot) AS slots, count(CASE WHEN slot.run = $run AND slot.key IN $slots THEN 1 END) AS held
}
WITH study, slots
WHERE held = size($slots) AND size(slots) = size($slots)
CALL (slots) {
  UNWIND slots AS slot
  OPTIONAL MATCH (slot)-[p:PUBLISHED]->(v:GraphVersion)
  DELETE p
  WITH slot, v
  DETACH DELETE slot
  RETURN collect(DISTINCT v) AS versions
}
CALL (versions) {
  UNWIND versions AS v
  OPTIONAL MATCH (heir:Slot)-[:PUBLISHED]->(v)
  WITH v, heir ORDER BY heir.key
  WITH v, collect(heir)[0] AS heir
  SET v.status = CASE WHEN heir IS NULL THEN 'superseded' ELSE v.status END,
      v.superseded = CASE WHEN heir IS NULL THEN datetime.realtime() ELSE v.superseded END,
      v.slot = coalesce(heir.key, v.slot), v.study = coalesce(heir.study, v.study), v.model = coalesce(heir.model, v.model),
      v.label = coalesce(heir.label, v.label), v.step = coalesce(heir.step, v.step), v.path = coalesce(heir.path, v.path)
  RETURN count(CASE WHEN heir IS NULL THEN 1 END) AS superseded, count(heir) AS kept
}
CALL (study) {
  OPTIONAL MATCH (study)-[:TELLS]->(t:Table)
  WITH collect(t) AS tables
  FOREACH (t IN tables | DETACH DELETE t)
  RETURN size(tables) AS tables
}
RETURN size(slots) AS hidden, superseded, kept, tables
