"""What every store of computational graphs does, and the values that name a place in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from roicg.core.errors import StoreError
from roicg.core.graph import ComputationalGraph, FaithfulnessCurve

Outcome = Literal["published", "unchanged", "reproduced", "replaced"]


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of one graph in a study: at most one version is published there, and every reading query starts there."""

    study: str
    model: str
    label: str
    step: int
    partition: str
    path: str

    def __post_init__(self) -> None:
        for what in ("study", "model", "label", "partition", "path"):
            check_place(what, getattr(self, what))

    @property
    def key(self) -> str:
        """``study|model@label|partition|path``."""
        return f"{self.study}|{self.model}@{self.label}|{self.partition}|{self.path}"

    def check(self, graph: ComputationalGraph) -> None:
        """``StoreError`` unless ``graph`` is of this slot's model, label, step and partition kind."""
        for task in graph.edges.tasks:
            check_place("task", task)
        theirs = (graph.checkpoint.model, graph.checkpoint.label, graph.checkpoint.step, graph.partition.kind)
        if theirs != (self.model, self.label, self.step, self.partition):
            raise StoreError(
                f"slot {self.key} (step {self.step}) cannot hold a graph of {theirs[0]}@{theirs[1]} (step {theirs[2]}) "
                f"with partition {theirs[3]}; publish it under its own slot"
            )


LONGEST = 200
_PARTING = {"study": "|@", "model": "|@"}


def check_place(what: str, name: str) -> None:
    """``StoreError`` unless ``name`` can be part of a key: 1 to 200 printable characters, without ``|`` (and in studies and models ``@``), which part them.

    Printable leaves out line ends, control characters, marks that turn the direction of text, and halves of surrogate pairs.
    """
    if not name or len(name) > LONGEST or not name.isprintable() or any(sign in name for sign in _PARTING.get(what, "|")):
        raise StoreError(
            f"the {what} {ascii(name)[:80]} cannot be stored: names are 1 to {LONGEST} printable characters without {' or '.join(_PARTING.get(what, '|'))}; rename it"
        )


@dataclass(frozen=True, slots=True)
class PublishResult:
    """What a publication did: ``number`` is the version's short number; ``edges`` counts (source, target, port)."""

    outcome: Outcome
    graph_id: str
    content_hash: str
    number: int
    slot: str
    edges: int


class GraphStore(Protocol):
    """A store of computational graphs: published whole or not at all, immutable afterwards."""

    def put(self, graph: ComputationalGraph, slot: Slot, *, replace: bool = False) -> PublishResult:
        """Publish ``graph`` in ``slot``; the same id with other content is a ``PublishConflict`` unless ``replace``."""
        ...

    def get(self, graph_id: str) -> ComputationalGraph:
        """The published graph, equal to ``stored_form`` of what was put; unknown ids are a ``StoreError``."""
        ...

    def ids(self) -> tuple[str, ...]:
        """Ids of the published graphs, sorted."""
        ...

    def put_curves(self, graph_id: str, curves: Sequence[FaithfulnessCurve]) -> int:
        """Add φ(n) curves as one analysis; returns the number of circuits written, 0 if they were there already."""
        ...

    def run(self, query: str, **params: Any) -> list[dict[str, Any]]:
        """Rows of a reading query of the catalogue, by dotted name."""
        ...
