// Do the ROIs of two graphs agree by signature beyond ROIs of the same kind?
// Only if p is small: it counts deals of the ROIs to the two graphs, which keep everything but which ROI is in which graph.
// mode: read
// param: slot STRING every match of the graph in this slot
// return: other STRING the slot that it was matched with
// return: within STRING ROIs were matched within a site, or within a kind where the graphs have different layers
// return: tasks LIST<STRING> that both graphs have
// return: pairs INTEGER
// return: similarity FLOAT mean over the pairs
// return: dealt FLOAT the same when ROIs are exchanged between the graphs
// return: p FLOAT
// return: twins INTEGER pairs that are each other's nearest in both graphs
// return: twins_dealt FLOAT
// return: twins_p FLOAT
// return: held_out FLOAT matched by half of the tasks, compared on the others; empty with one task
// return: held_out_chance FLOAT random pairings within groups
// return: held_out_p FLOAT
// return: index FLOAT matched by index
// return: chance FLOAT random pairings within groups
// return: index_p FLOAT
MATCH (:Slot {key: $slot})-[:PUBLISHED]->(v:GraphVersion)<-[:OF]-(n:Analysis {kind: 'signatures'})-[:OF]->(w:GraphVersion)<-[:PUBLISHED]-(o:Slot)
WHERE w <> v
RETURN o.key AS other, n.within AS within, n.tasks AS tasks, n.pairs AS pairs, n.similarity AS similarity, n.dealt AS dealt, n.p AS p,
       n.twins AS twins, n.twins_dealt AS twins_dealt, n.twins_p AS twins_p, n.held_out AS held_out, n.held_out_chance AS held_out_chance,
       n.held_out_p AS held_out_p, n.index AS index, n.chance AS chance, n.index_p AS index_p
ORDER BY other, n.id
