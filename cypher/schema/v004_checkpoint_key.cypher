// Makes the key of a checkpoint unique: study|model@label.
// mode: schema
CREATE CONSTRAINT checkpoint_key IF NOT EXISTS FOR (n:Checkpoint) REQUIRE n.key IS UNIQUE
