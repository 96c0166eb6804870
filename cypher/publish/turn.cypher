// How many version numbers were given out, asked in a transaction that will change what a slot shows?
// mode: write
// return: numbers INTEGER
// First statement of every flip: writing the sequence row lets one happen at a time, so that what stands is asked and replaced
// without anybody in between, and a graph id is never published twice.
MATCH (sequence:Sequence {key: 'graph'})
SET sequence.flipped = datetime.realtime()
RETURN sequence.value AS numbers
