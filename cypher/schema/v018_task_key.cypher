// Makes the key of a task unique: study|task.
// mode: schema
CREATE CONSTRAINT task_key IF NOT EXISTS FOR (n:Task) REQUIRE n.key IS UNIQUE
