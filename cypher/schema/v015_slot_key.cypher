// Makes the key of a slot, its lock row unique: study|model@label|partition|path.
// mode: schema
CREATE CONSTRAINT slot_key IF NOT EXISTS FOR (n:Slot) REQUIRE n.key IS UNIQUE
