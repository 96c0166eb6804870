// Indexes graph versions by slot, to find what writers left behind.
// mode: schema
CREATE RANGE INDEX version_slot IF NOT EXISTS FOR (n:GraphVersion) ON (n.slot)
