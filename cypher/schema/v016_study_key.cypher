// Makes the key of a study unique: its name.
// mode: schema
CREATE CONSTRAINT study_key IF NOT EXISTS FOR (n:Study) REQUIRE n.key IS UNIQUE
