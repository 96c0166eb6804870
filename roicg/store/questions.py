"""What people ask: the questions of the catalogue in the order in which a researcher would, and what they are asked of in examples.

The rest of the reading queries roicg asks itself, while it publishes, checks and collects: ``roicg query --list --all`` shows them too.
"""

from roicg.store.registry import Query, catalogue

ROOMS = {
    "circuits": "Circuits: which edges, paths and ROIs carry a task?",
    "tasks": "Tasks: what do they share, and what has each to itself?",
    "structure": "Structure: communities, roles, and whether the books balance",
    "compare": "Compare: checkpoints, seeds, sizes",
    "findings": "Findings of a whole study",
    "draw": "Drawn in Neo4j Browser",
    "house": "House: what is published, where a number comes from, whether all is well",
}
"""Rooms of people's questions, in order, each with its heading."""
HOUSE = ("gds", "indexes", "leftovers", "loose", "migrations", "provenance", "published", "server", "slots")
"""What people ask of the house; its other queries need numbers that only roicg knows."""
_NEEDS_AN_ID = "analysis"
_EXAMPLE = {
    "slot": "multitask-s0@1200",
    "slot_a": "multitask-s0@600",
    "slot_b": "multitask-s0@1200",
    "task": "add",
    "roi": "m0.r0",
    "hurt": "add",
    "spare": "max",
    "study": "demo",
    "source": "a0.h0",
    "target": "m0.r0",
    "port": "in",
}
_COMMON_NODES = ("compare.edge_drift", "compare.entry_and_exit", "compare.which_changed_most")


def is_asked(query: Query) -> bool:
    """Whether ``query`` is one that people ask."""
    room, name = query.name.split(".", 1)
    needs_an_id = any(field.name == _NEEDS_AN_ID and field.required for field in query.params)
    return query.mode == "read" and room in ROOMS and (room != "house" or name in HOUSE) and not needs_an_id


def questions() -> list[Query]:
    """What people ask, by room in the order of :data:`ROOMS`."""
    order = list(ROOMS)
    return sorted(filter(is_asked, catalogue().values()), key=lambda query: (order.index(query.name.split(".")[0]), query.name))


def inner() -> list[Query]:
    """The reading queries that roicg asks itself, by name."""
    return [query for query in catalogue().values() if query.mode == "read" and not is_asked(query)]


def example(query: Query) -> dict[str, str]:
    """Values for what ``query`` needs, as they would be typed on the graphs of ``roicg demo``; comparisons of edges stand on the common ROIs."""
    found = {field.name: _EXAMPLE[field.name] for field in query.params if field.required}
    if query.name in _COMMON_NODES:
        found = {name: f"{value}:reference" if name.startswith("slot") else value for name, value in found.items()}
    return found
