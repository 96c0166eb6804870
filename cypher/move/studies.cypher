// Which studies are there?
// mode: read
// return: study STRING
// return: graphs INTEGER shown by its slots
// return: findings INTEGER tables
MATCH (study:Study)
RETURN study.key AS study, count { (study)-[:HAS_MODEL]->()-[:HAS_CHECKPOINT]->()<-[:OF]-(:Slot)-[:PUBLISHED]->() } AS graphs,
       count { (study)-[:TELLS]->() } AS findings
ORDER BY study
