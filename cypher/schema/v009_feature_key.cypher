// Makes the key of a feature unique: study|model|site|index, shared by a model's checkpoints.
// mode: schema
CREATE CONSTRAINT feature_key IF NOT EXISTS FOR (n:Feature) REQUIRE n.key IS UNIQUE
