// Which indexes does this database have, those of its constraints among them, and are they filled?
// mode: read
// return: name STRING
// return: state STRING ONLINE when it is filled
// return: constraint STRING name of the constraint that owns it
SHOW INDEXES YIELD name, state, owningConstraint
RETURN name, state, owningConstraint AS constraint
ORDER BY name
