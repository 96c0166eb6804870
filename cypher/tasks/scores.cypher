// How well does the checkpoint do on each task?
// mode: read
// param: slot STRING the slot that is asked
// return: task STRING
// return: split STRING
// return: metric STRING
// return: n INTEGER prompt pairs
// return: clean FLOAT mean metric on clean prompts
// return: corrupted FLOAT mean metric on corrupted prompts
// return: accuracy FLOAT
// return: solved BOOLEAN accuracy of at least 0.9
MATCH (:Slot {key: $slot})-[:OF]->(:Checkpoint)-[s:SCORED]->(t:Task)
RETURN t.name AS task, s.split AS split, s.metric AS metric, s.n AS n, s.clean AS clean, s.corrupted AS corrupted,
       s.accuracy AS accuracy, s.solved AS solved
ORDER BY task, split
