// Makes the id of a partition unique: study|model|digest of its ROIs.
// mode: schema
CREATE CONSTRAINT partition_id IF NOT EXISTS FOR (n:Partition) REQUIRE n.id IS UNIQUE
