"""``roicg circuit``: the strongest edges of one task as a table, or as a file for other programs."""

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roicg.cli.console import print_rows, say, working
from roicg.core.errors import QueryError, RoicgError

if TYPE_CHECKING:
    from roicg.store.protocol import GraphStore, Slot


class Export(StrEnum):
    """File formats of a circuit."""

    json = "json"
    graphml = "graphml"
    eap_ig = "eap-ig"
    dot = "dot"


def circuit(
    where: Annotated[str, typer.Argument(metavar="MODEL@STEP", help="A model and a checkpoint (label or step).")],
    task: Annotated[str, typer.Option("--task", help="The task whose circuit it is.")],
    edges: Annotated[int | None, typer.Option("--edges", min=1, help="The n strongest edges, pruned to those on a path.")] = None,
    faithfulness: Annotated[float | None, typer.Option("--faithfulness", help="The smallest measured circuit of at least this faithfulness.")] = None,
    partition: Annotated[str | None, typer.Option("--partition", help="own, reference, components, singletons or random (default own).")] = None,
    study: Annotated[str | None, typer.Option("--study", help="Only where several studies have the model.")] = None,
    export: Annotated[Export | None, typer.Option("--export", help="Write a file for other programs instead of a table.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it (default: stdout).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Edges as JSON rows.")] = False,
) -> None:
    """Show or export the circuit of a task: the strongest edges that lie on a path from the input to the logits."""
    if (edges is None) == (faithfulness is None):
        raise QueryError("give either --edges N or --faithfulness X, one of the two")
    if out is not None and export is None:
        raise QueryError("--out needs --export json, graphml, eap-ig or dot")
    from roicg.circuits.export import EXPORTS, edge_rows
    from roicg.circuits.select import circuit_edges
    from roicg.cli.slots import graph_id, resolve
    from roicg.store.connect import connect

    with connect() as store, working("reading the graph …"):
        slot = resolve(store, where, partition=partition, study=study)
        n = edges if edges is not None else size_for(store, slot, task, float(faithfulness or 0.0))
        graph = store.get(graph_id(store, slot))
    if task not in graph.edges.tasks:
        raise QueryError(f"{where} has no task {task!r}; it has {', '.join(graph.edges.tasks)}")
    if export is not None:
        write_out(EXPORTS[export.value](graph, task, n), out)
        return
    rows = edge_rows(graph, task, circuit_edges(graph, task, n))
    columns = ["rank", "source", "target", "port", "weight", "strength", "se", "mean_abs"]
    print_rows(rows, as_json=as_json, title=f"{slot.key}: circuit of {min(n, len(graph.edges))} edges for {task}", columns=columns)
    say(f"{len(rows)} of {min(n, len(graph.edges))} edges lie on a path from the input to the logits; the graph has {len(graph.edges)}")


def size_for(store: "GraphStore", slot: "Slot", task: str, faithfulness: float) -> int:
    """The smallest measured number of edges with at least this faithfulness; ``QueryError`` says why there is none."""
    rows = store.run("circuits.least_edges", slot=slot.key, faithfulness=faithfulness)
    row = next((row for row in rows if row["task"] == task), None)
    if row is None:
        raise QueryError(f"no faithfulness is published for task {task!r} of {slot.key}; tasks with one: {', '.join(row['task'] for row in rows) or 'none'}")
    if row["n_edges"] is None:
        why = f"({row['reason']})" if row["reason"] else "at any measured size"
        raise QueryError(f"task {task!r} of {slot.key} does not reach faithfulness {faithfulness:g} {why}; ask for less, or give --edges")
    return int(row["n_edges"])


def write_out(text: str, out: Path | None) -> None:
    """``text`` to stdout, or whole into the file ``out``: written beside it and moved there, so that it is never half-written."""
    if out is None:
        print(text)
        return
    beside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise RoicgError(f"cannot write {out}: {error.strerror or error}") from error
    say(f"wrote {out}")
