// Makes the key of a port group unique: version number|port group|task.
// mode: schema
CREATE CONSTRAINT port_group_key IF NOT EXISTS FOR (n:PortGroup) REQUIRE n.key IS UNIQUE
