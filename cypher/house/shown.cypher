// How many slots with this beginning show a graph, what do their versions' numbers add up to, and is a flip just being applied?
// mode: read
// param: prefix STRING = "" beginning of the slots' keys: study|model@ for those of one model, empty for all
// return: slots INTEGER
// return: numbers INTEGER
// return: moving INTEGER versions that are published and shown by no slot, or shown and not published: in the instant of a flip, or by damage
// Asked before and after another question: numbers are never given twice, so both figures are the same only if nothing was published
// in between. Where all three questions were asked within the instant in which a commit moves what a slot shows, `moving` tells.
MATCH (slot:Slot)-[:PUBLISHED]->(v:GraphVersion)
WHERE slot.key STARTS WITH $prefix
WITH count(*) AS slots, coalesce(sum(v.number), 0) AS numbers, sum(CASE v.status WHEN 'published' THEN 0 ELSE 1 END) AS shown
CALL () {
  MATCH (v:GraphVersion)
  WHERE v.slot STARTS WITH $prefix AND v.status = 'published' AND NOT EXISTS { (:Slot)-[:PUBLISHED]->(v) }
  RETURN count(*) AS unseen
}
RETURN slots, numbers, shown + unseen AS moving
