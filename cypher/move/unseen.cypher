// Which slots of a study, there or gone, have versions that nobody can see?
// mode: read
// param: study STRING
// return: slot STRING
MATCH (v:GraphVersion {study: $study})
WHERE v.status <> 'published'
RETURN DISTINCT v.slot AS slot
ORDER BY slot
