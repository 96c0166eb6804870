// Makes the key of a block unique: partition id|ROI name.
// mode: schema
CREATE CONSTRAINT block_key IF NOT EXISTS FOR (n:Block) REQUIRE n.key IS UNIQUE
