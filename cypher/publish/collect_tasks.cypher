// How many tasks were removed that no checkpoint was scored on and no version has, not even a staged one?
// mode: write
// param: batch INTEGER
// return: removed INTEGER
// Writing the name locks the task before it is asked again; load.tasks holds that lock until the version that needs it is there.
MATCH (task:Task)
WHERE NOT EXISTS { (task)--() } AND NOT EXISTS { MATCH (v:GraphVersion) WHERE v.study + '|' + task.name = task.key AND task.name IN v.tasks }
WITH task LIMIT $batch
SET task.name = task.name
WITH task
WHERE NOT EXISTS { (task)--() } AND NOT EXISTS { MATCH (v:GraphVersion) WHERE v.study + '|' + task.name = task.key AND task.name IN v.tasks }
DETACH DELETE task
RETURN count(*) AS removed
