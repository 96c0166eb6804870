// How purely does each ROI serve one task?
// Share of a task = strength out of the ROI / strength out of all ROIs in that task; purity = largest share / Σ shares.
// A figure to hold against the partition random: small groups are purer by chance.
// mode: read
// param: slot STRING the slot that is asked
// param: limit INTEGER = 20 how many ROIs
// return: roi STRING
// return: label STRING
// return: size INTEGER features of the ROI
// return: task STRING the task of the largest share
// return: purity FLOAT from 1 / number of tasks to 1
// return: share FLOAT the largest share
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (v)-[:HAS_PORT_GROUP]->(g:PortGroup {name: 'logits.in'})
CALL (v, g) {
  MATCH (r:ROI)-[e:EDGE]->(:ROI)
  USING INDEX SEEK e:EDGE(graph, task, rank)
  WHERE e.graph = v.number AND e.task = g.task AND e.rank >= 1 AND r.kind <> 'tok'
  WITH r, sum(e.strength) AS strength
  RETURN collect({r: r, strength: strength}) AS rows, sum(strength) AS total
}
WITH g.task AS task, rows, total
WHERE total > 0.0
UNWIND rows AS row
WITH row.r AS r, task, row.strength / total AS share ORDER BY share DESC, task
WITH r, collect({task: task, share: share}) AS shares, sum(share) AS all
WHERE all > 0.0
RETURN r.name AS roi, r.label AS label, r.size AS size, shares[0].task AS task, shares[0].share / all AS purity, shares[0].share AS share
ORDER BY purity DESC, roi
LIMIT $limit
