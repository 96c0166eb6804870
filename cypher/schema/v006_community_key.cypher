// Makes the key of a community unique: analysis id|task|index.
// mode: schema
CREATE CONSTRAINT community_key IF NOT EXISTS FOR (n:Community) REQUIRE n.key IS UNIQUE
