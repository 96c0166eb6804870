"""From what a person types (``MODEL@STEP``) to the slot that holds the published graph."""

from typing import TYPE_CHECKING

from roicg.core.errors import QueryError
from roicg.core.nearest import did_you_mean

if TYPE_CHECKING:
    from roicg.store.protocol import GraphStore, Slot

PARTITION = "own"


def is_shorthand(text: str) -> bool:
    """Whether ``text`` is MODEL@STEP[:PARTITION] and not a whole slot key."""
    return "@" in text and "|" not in text


def resolve(store: "GraphStore", text: str, *, partition: str | None = None, study: str | None = None) -> "Slot":
    """The one slot with a published graph that ``text`` (MODEL@STEP[:PARTITION], STEP = label or step) means.

    None or several fit: a ``QueryError`` that lists what there is.
    """
    from roicg.store.protocol import Slot

    model, at, rest = text.partition("@")
    step, _, named = rest.partition(":")
    if not at or not model or not step:
        raise QueryError(f"{text!r:.80} must be MODEL@STEP, such as multitask-s0@800")
    kind = partition or named or PARTITION
    rows = [row for row in store.run("house.slots", model="") if study in (None, row["study"])]
    models = sorted({row["model"] for row in rows})
    if model not in models:
        raise QueryError(
            f"no published graph of a model {model!r:.80}{did_you_mean(model, models)}; published are: {', '.join(models) or 'none (run a study first)'}"
        )
    mine = [row for row in rows if row["model"] == model]
    here = [row for row in mine if step in (row["label"], str(row["step"]))]
    if not here:
        raise QueryError(f"no published checkpoint {step!r:.80} of {model}; published are: {', '.join(dict.fromkeys(row['label'] for row in mine))}")
    fit = [row for row in here if row["partition"] == kind]
    if not fit:
        raise QueryError(f"{model:.80}@{step:.80} has no partition {kind!r:.80}; published are: {', '.join(sorted({row['partition'] for row in here}))}")
    if len(fit) > 1:
        raise QueryError(f"{text!r:.80} means several slots: {', '.join(row['slot'] for row in fit)}; give --study or a whole slot key")
    row = fit[0]
    return Slot(row["study"], row["model"], row["label"], row["step"], row["partition"], row["path"])


def graph_id(store: "GraphStore", slot: "Slot") -> str:
    """Id of the graph that ``slot`` publishes now."""
    return str(next(row["graph_id"] for row in store.run("house.slots", model=slot.model) if row["slot"] == slot.key))
