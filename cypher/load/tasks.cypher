// How many tasks does the study know, after those of this graph were added?
// mode: write
// param: study STRING
// param: names LIST<STRING>
// return: tasks INTEGER
// Writing the name locks the task until the version that needs it is staged, in the same transaction.
UNWIND $names AS name
MERGE (task:Task {key: $study + '|' + name})
SET task.name = name
RETURN count(*) AS tasks
