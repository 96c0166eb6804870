// Indexes graph versions by graph id: not unique, a version may be staged while another of its id is published.
// mode: schema
CREATE RANGE INDEX version_id IF NOT EXISTS FOR (n:GraphVersion) ON (n.id)
