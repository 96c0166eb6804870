// What was found in this study, beside its controls?
// mode: read
// param: study STRING name of the study
// return: finding STRING the question, by its name in roicg
// return: name STRING of the table
// return: title STRING
// return: columns LIST<STRING>
// return: rows LIST<STRING> each row as a JSON list of cells
// return: note STRING control, seeds and split
MATCH (:Study {key: $study})-[:TELLS]->(t:Table)
RETURN t.finding AS finding, t.name AS name, t.title AS title, t.columns AS columns, t.rows AS rows, t.note AS note
ORDER BY finding, t.place
