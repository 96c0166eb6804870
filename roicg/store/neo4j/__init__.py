"""The store in Neo4j: the only room, with ``server/health.py``, that imports the driver."""
