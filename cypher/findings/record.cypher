// How many tables does this finding of a study have now?
// Those it had before are replaced, in the same transaction.
// mode: write
// param: study STRING name of the study
// param: finding STRING name of the finding
// param: tables LIST<MAP> name, title, columns, rows (each row as JSON), note
// return: written INTEGER
MATCH (s:Study {key: $study})
CALL (s) {
  OPTIONAL MATCH (s)-[:TELLS]->(old:Table {finding: $finding})
  DETACH DELETE old
}
WITH DISTINCT s
UNWIND range(0, size($tables) - 1) AS i
WITH s, i, $tables[i] AS t
CREATE (s)-[:TELLS]->(:Table {
  key: $study + '|' + $finding + '|' + t.name, study: $study, finding: $finding, name: t.name, place: i, title: t.title,
  columns: t.columns, rows: t.rows, note: t.note, told: datetime.realtime()
})
RETURN count(*) AS written
