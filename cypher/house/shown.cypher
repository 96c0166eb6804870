// How many slots with this beginning show a graph, and what do their versions' numbers add up to?
// mode: read
// param: prefix STRING = "" beginning of the slots' keys: study|model@ for those of one model, empty for all
// return: slots INTEGER
// return: numbers INTEGER
// Asked before and after another question: numbers are never given twice, so both figures are the same only if nothing was published
// in between, and no slot was met in the instant in which a commit moves what it shows.
MATCH (slot:Slot)-[:PUBLISHED]->(v:GraphVersion)
WHERE slot.key STARTS WITH $prefix
RETURN count(*) AS slots, coalesce(sum(v.number), 0) AS numbers
