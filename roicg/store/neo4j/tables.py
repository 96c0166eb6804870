"""Tables of findings beside the study they are of: one :Table node each, replaced together when the finding is told again."""

import json
from collections.abc import Sequence

from roicg.core.errors import StoreError
from roicg.core.tables import Table
from roicg.store.neo4j.driver import Connection, Rows, Transaction


def put_tables(connection: Connection, study: str, finding: str, tables: Sequence[Table]) -> int:
    """Write ``tables`` (at least one) in place of those that ``finding`` of ``study`` had; their number. ``StoreError``: no such study is published."""
    if not tables:
        raise StoreError(f"finding {finding!r} of study {study!r} has no table; nothing was changed")
    values = [
        {"name": one.name, "title": one.title, "columns": list(one.columns), "rows": [json.dumps(row, allow_nan=False) for row in one.rows], "note": one.note}
        for one in tables
    ]

    def write(tx: Transaction) -> Rows:
        return tx.run("findings.record", study=study, finding=finding, tables=values)

    written = int(connection.transaction("findings.record", write)[0]["written"])
    if written != len(tables):
        raise StoreError(f"no study {study!r} is published, so no finding can be told of it; run it first: roicg run STUDY.yaml")
    return written
