// Makes the key of a finding's table unique: study|finding|table.
// mode: schema
CREATE CONSTRAINT table_key IF NOT EXISTS FOR (n:Table) REQUIRE n.key IS UNIQUE
