// How many studies without a model and without a finding were removed?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Writing `asked` locks the study before it is asked again.
MATCH (study:Study)
WHERE NOT EXISTS { (study)-[:HAS_MODEL|TELLS]->() }
WITH study LIMIT $batch
SET study.asked = datetime.realtime()
WITH study
WHERE NOT EXISTS { (study)-[:HAS_MODEL|TELLS]->() }
DETACH DELETE study
RETURN count(*) AS removed
