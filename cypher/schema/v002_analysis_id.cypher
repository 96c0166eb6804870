// Makes the id of an analysis unique: digest of kind, parameters, graph and content.
// mode: schema
CREATE CONSTRAINT analysis_id IF NOT EXISTS FOR (n:Analysis) REQUIRE n.id IS UNIQUE
