// Makes the short number of a graph version unique: never given twice.
// mode: schema
CREATE CONSTRAINT version_number IF NOT EXISTS FOR (n:GraphVersion) REQUIRE n.number IS UNIQUE
