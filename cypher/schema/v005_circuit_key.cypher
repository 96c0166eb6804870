// Makes the key of a circuit unique: analysis id|task|selection|edges.
// mode: schema
CREATE CONSTRAINT circuit_key IF NOT EXISTS FOR (n:Circuit) REQUIRE n.key IS UNIQUE
