// Makes the number of an applied schema file unique: it is recorded once, however many processes apply it.
// mode: schema
CREATE CONSTRAINT migration_number IF NOT EXISTS FOR (n:Migration) REQUIRE n.number IS UNIQUE
