// How many tasks does the study know, after those of this graph were added?
// mode: write
// param: study STRING
// param: names LIST<STRING>
// return: tasks INTEGER
UNWIND $names AS name
MERGE (task:Task {key: $study + '|' + name})
  ON CREATE SET task.name = name
RETURN count(*) AS tasks
