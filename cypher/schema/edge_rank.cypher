// Indexes edges by graph, task and rank: the one lookup that every reading of edges starts with.
// mode: schema
// The planner takes it only when all three are asked for; `e.rank >= 1` asks for every edge of a task.
CREATE RANGE INDEX edge_rank IF NOT EXISTS FOR ()-[e:EDGE]-() ON (e.graph, e.task, e.rank)
