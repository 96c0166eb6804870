// What is published, and what is being written or waits to be collected?
// mode: read
// param: study STRING = "" only this study; empty for all
// return: slot STRING
// return: status STRING published, staged or superseded
// return: graph_id STRING
// return: number INTEGER
// return: content_hash STRING empty until a staged version is whole
// return: rois INTEGER
// return: edges INTEGER edges (source, target, port), counted once for all tasks
// return: created DATETIME
// return: numerics INTEGER the numerics it was made by; null where that was not noted
MATCH (v:GraphVersion)
WHERE $study = '' OR v.study = $study
OPTIONAL MATCH (s:Slot)-[:PUBLISHED]->(v)
RETURN coalesce(s.key, v.slot) AS slot, v.status AS status, v.id AS graph_id, v.number AS number, v.content_hash AS content_hash,
       v.n_rois AS rois, v.n_edges AS edges, v.created AS created, v.numerics AS numerics
ORDER BY slot, v.number
