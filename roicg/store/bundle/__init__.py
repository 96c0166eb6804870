"""A study as files: a manifest with hashes, and columns as JSONL or parquet. Knows no database (:mod:`roicg.store.neo4j.carry` does)."""
