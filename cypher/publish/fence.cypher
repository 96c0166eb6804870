// Which staged versions of earlier writers are fenced off, so that their next batch finds nothing to write to?
// mode: write
// param: slot STRING
// param: run STRING the writer that holds the slot now
// return: number INTEGER
MATCH (slot:Slot {key: $slot, run: $run})
MATCH (v:GraphVersion {slot: slot.key, status: 'staged'})
WHERE v.run <> $run
REMOVE v.run
RETURN v.number AS number
