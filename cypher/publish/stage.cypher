// Which number does the new staged version of this slot get?
// mode: write
// param: slot STRING
// param: run STRING
// param: version MAP the plain figures of the version, by the names below
// param: partition MAP id, kind, settings
// return: number INTEGER
// return: partition_complete BOOLEAN whether all blocks and features of the partition are there already
// Every row is written to, and so locked, before it is asked: the slot may have been taken, the partition be about to be
// removed (CREATE of a relationship alone does not lock a node that has many). No row at all if the slot is not ours.
MERGE (sequence:Sequence {key: 'graph'})
  ON CREATE SET sequence.value = 0
SET sequence.value = sequence.value + 1
WITH sequence
MATCH (slot:Slot {key: $slot})
SET slot.heartbeat = datetime.realtime()
WITH sequence, slot
WHERE slot.run = $run
MERGE (partition:Partition {id: $partition.id})
  ON CREATE SET partition.kind = $partition.kind, partition.settings = $partition.settings
SET partition.staged = datetime.realtime()
CREATE (v:GraphVersion {
  number: sequence.value, id: $version.id, status: 'staged', run: $run, heartbeat: datetime.realtime(), created: datetime.realtime(), rows_done: 0,
  study: slot.study, slot: slot.key, path: slot.path, model: slot.model, label: slot.label, step: slot.step, weights_digest: $version.weights_digest,
  rule: $version.rule, steps: $version.steps, baseline: $version.baseline, dtype: $version.dtype, dropped_strength: $version.dropped_strength,
  content_hash: $version.content_hash, n_rois: $version.n_rois, n_edges: $version.n_edges, n_rows: $version.n_rows,
  n_port_groups: $version.n_port_groups, tasks: $version.tasks, weight_sums: $version.weight_sums, strength_sums: $version.strength_sums,
  partition_kind: $partition.kind, partition_settings: $partition.settings,
  sites: $version.sites, quality: $version.quality, scores: $version.scores, provenance: $version.provenance, numerics: $version.numerics
})
CREATE (v)-[:USES]->(partition)
RETURN v.number AS number, coalesce(partition.complete, false) AS partition_complete
