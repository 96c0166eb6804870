// How many models, checkpoints and tasks of a study that shows nothing any more were removed, and is the study gone?
// mode: write
// param: study STRING
// return: checkpoints INTEGER
// return: models INTEGER
// return: tasks INTEGER that nothing hangs on
// return: gone BOOLEAN
// Everything is written to, and so locked, before it is asked: a writer may have begun the study anew.
MATCH (study:Study {key: $study})
SET study.asked = datetime.realtime()
WITH study
CALL (study) {
  OPTIONAL MATCH (study)-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(c:Checkpoint)
  SET c.step = c.step
  WITH c
  WHERE NOT EXISTS { (:Slot)-[:OF]->(c) }
  WITH collect(c) AS found
  FOREACH (c IN found | DETACH DELETE c)
  RETURN size(found) AS checkpoints
}
CALL (study, checkpoints) {
  OPTIONAL MATCH (study)-[:HAS_MODEL]->(m:Model)
  SET m.name = m.name
  WITH m
  WHERE NOT EXISTS { (m)-[:HAS_CHECKPOINT]->() }
  WITH collect(m) AS found
  FOREACH (m IN found | DETACH DELETE m)
  RETURN size(found) AS models
}
CALL (models) {
  OPTIONAL MATCH (t:Task)
  WHERE t.key = $study + '|' + t.name
  SET t.name = t.name
  WITH t
  WHERE NOT EXISTS { (t)--() } AND NOT EXISTS { MATCH (v:GraphVersion) WHERE v.study = $study AND t.name IN v.tasks }
  WITH collect(t) AS found
  FOREACH (t IN found | DETACH DELETE t)
  RETURN size(found) AS tasks
}
WITH study, checkpoints, models, tasks, NOT EXISTS { (study)-[:HAS_MODEL|TELLS]->() } AS empty
FOREACH (s IN CASE WHEN empty THEN [study] ELSE [] END | DETACH DELETE s)
RETURN checkpoints, models, tasks, empty AS gone
