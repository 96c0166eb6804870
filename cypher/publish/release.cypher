// Gives the slot back, if this writer still holds it.
// mode: write
// param: slot STRING
// param: run STRING
MATCH (slot:Slot {key: $slot, run: $run})
REMOVE slot.run, slot.heartbeat
