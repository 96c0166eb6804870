// Makes the key of a sequence unique: it hands out version numbers.
// mode: schema
CREATE CONSTRAINT sequence_key IF NOT EXISTS FOR (n:Sequence) REQUIRE n.key IS UNIQUE
