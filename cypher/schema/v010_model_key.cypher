// Makes the key of a model unique: study|model.
// mode: schema
CREATE CONSTRAINT model_key IF NOT EXISTS FOR (n:Model) REQUIRE n.key IS UNIQUE
