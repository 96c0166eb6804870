// Which versions do the slots of a study show, and in how many slots of other studies?
// mode: read
// param: study STRING
// return: slot STRING
// return: model STRING
// return: label STRING
// return: step INTEGER
// return: partition STRING
// return: path STRING
// return: number INTEGER
// return: graph_id STRING
// return: content_hash STRING
// return: elsewhere INTEGER
MATCH (:Study {key: $study})-[:HAS_MODEL]->(:Model)-[:HAS_CHECKPOINT]->(:Checkpoint)<-[:OF]-(slot:Slot)-[:PUBLISHED]->(v:GraphVersion)
RETURN slot.key AS slot, slot.model AS model, slot.label AS label, slot.step AS step, slot.partition AS partition, slot.path AS path,
       v.number AS number, v.id AS graph_id, v.content_hash AS content_hash,
       count { (v)<-[:PUBLISHED]-(other:Slot) WHERE other.study <> $study } AS elsewhere
ORDER BY slot
