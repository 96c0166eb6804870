// Makes an edge unique in its graph: one per source, target, port and task.
// mode: schema
CREATE CONSTRAINT edge_unique IF NOT EXISTS FOR ()-[e:EDGE]-() REQUIRE (e.graph, e.source, e.target, e.port, e.task) IS UNIQUE
