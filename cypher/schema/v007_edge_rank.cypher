// Indexes edges by graph, task and rank: the one lookup that every reading of edges starts with.
// mode: schema
// The planner takes it only when all three are asked for; `e.rank >= 1` asks for every edge of a task. Queries name it
// (USING INDEX SEEK): left to its statistics, the planner scans instead as long as a database holds few edges.
CREATE RANGE INDEX edge_rank IF NOT EXISTS FOR ()-[e:EDGE]-() ON (e.graph, e.task, e.rank)
