"""What a database holds, without what differs from run to run: numbers, times, names of writers."""

import re
from collections import Counter
from typing import Any

from roicg.store.neo4j.store import Neo4jStore

# Times, writers, version numbers and what is made of them. Analyses are named by a digest with the version's number in it.
VOLATILE = {
    *("created", "published", "superseded", "heartbeat", "asked", "flipped", "chained", "staged", "told", "applied", "run"),
    *("number", "graph", "value", "analysis", "rows_done"),
}
_NUMBERED = re.compile(r"^(\d+|[0-9a-f]{64})\|")


def census(store: Neo4jStore) -> Counter[str]:
    """Every node and relationship as text, with how often it is there."""
    nodes = store.cypher("MATCH (n) WHERE NOT n:Migration RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties")
    named = {row["id"]: _text(":".join(sorted(row["labels"])), row["properties"]) for row in nodes}
    edges = store.cypher("MATCH (a)-[e]->(b) RETURN elementId(a) AS a, elementId(b) AS b, type(e) AS type, properties(e) AS properties")
    found = Counter(named.values())
    found.update(f"{_ends(named[row['a']])} -[{_text(row['type'], row['properties'])}]-> {_ends(named[row['b']])}" for row in edges)
    return found


def _text(kind: str, properties: dict[str, Any]) -> str:
    kept = {name: _NUMBERED.sub("", value) if name == "key" else value for name, value in properties.items() if name not in VOLATILE}
    if kind == "Analysis":
        kept.pop("id", None)
    return f"{kind} {sorted(kept.items())!r}"


def _ends(text: str) -> str:
    return text if len(text) < 200 else text[:200]


def difference(found: Counter[str], expected: Counter[str]) -> list[str]:
    """What is more or less than expected, one line each."""
    lines = [f"{n} too many: {text[:300]}" for text, n in sorted((found - expected).items())]
    return lines + [f"{n} missing: {text[:300]}" for text, n in sorted((expected - found).items())]
