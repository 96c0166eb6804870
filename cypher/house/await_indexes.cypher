// Are all indexes filled?
// mode: read
// param: seconds INTEGER how long to wait
CALL db.awaitIndexes($seconds)
