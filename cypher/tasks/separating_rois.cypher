// Which ROIs should hurt one task most and another least when they are ablated?
// Share of a ROI = strength out of it / strength out of all ROIs of its task; a prediction to be tested by ablation.
// mode: read
// param: slot STRING the slot that is asked
// param: hurt STRING the task to hurt
// param: spare STRING the task to spare
// param: limit INTEGER = 20 how many ROIs
// return: roi STRING
// return: label STRING
// return: size INTEGER features of the ROI
// return: share_hurt FLOAT
// return: share_spare FLOAT
// return: difference FLOAT share_hurt - share_spare
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)
MATCH (r:ROI)-[e:EDGE]->(:ROI)
USING INDEX SEEK e:EDGE(graph, task, rank)
WHERE e.graph = v.number AND e.task IN [$hurt, $spare] AND e.rank >= 1 AND r.kind <> 'tok'
WITH r, sum(CASE WHEN e.task = $hurt THEN e.strength ELSE 0.0 END) AS hurt, sum(CASE WHEN e.task = $spare THEN e.strength ELSE 0.0 END) AS spare
WITH collect({r: r, hurt: hurt, spare: spare}) AS rows, sum(hurt) AS all_hurt, sum(spare) AS all_spare
WHERE all_hurt > 0.0 AND all_spare > 0.0
UNWIND rows AS row
WITH row.r AS r, row.hurt / all_hurt AS share_hurt, row.spare / all_spare AS share_spare
RETURN r.name AS roi, r.label AS label, r.size AS size, share_hurt, share_spare, share_hurt - share_spare AS difference
ORDER BY difference DESC, roi
LIMIT $limit
