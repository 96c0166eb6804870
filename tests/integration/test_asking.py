"""The Python front door on the hand-made graphs: rows with the types of the header, frames, slots, and nothing written."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args, get_origin

import pytest

import roicg
from roicg.asking import Graphs, column_types, row_type
from roicg.core.errors import QueryError, StoreUnreachable
from roicg.server.address import Address
from roicg.store.neo4j.analyses import match_rois
from roicg.store.neo4j.store import Neo4jStore
from roicg.store.questions import questions
from tests.answers import ANSWERS, OWN200, S200
from tests.handmade import STEPS
from tests.published import handmade_store

pytestmark = pytest.mark.neo4j


@pytest.fixture(scope="module")
def store(address: Address) -> Iterator[Neo4jStore]:
    with handmade_store(address) as opened:
        match_rois(opened, "toy-100-own", "toy-200-own")
        yield opened


@pytest.fixture
def graphs(store: Neo4jStore) -> Iterator[Graphs]:
    given = store.address
    with roicg.connect(given.uri, user=given.user, password=given.password, database=given.database) as opened:
        yield opened


def fits(value: Any, kind: Any) -> bool:
    """Whether ``value`` is of the type that the row's class states."""
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(item, get_args(kind)[0]) for item in value)
    return any(value is None if one is type(None) else fits(value, one) if get_origin(one) else type(value) is one for one in get_args(kind) or (kind,))


def test_rows_have_the_columns_as_attributes_and_slots_may_be_short(graphs: Graphs) -> None:
    rows = graphs.ask("circuits.circuit", slot="toy@200:reference", task="add", edges=2)
    assert [(row.rank, row.source, row.target, row.weight) for row in rows] == [(1, "m0.r0", "logits", 0.9), (2, "a0.h0", "m0.r0", 0.6)]
    assert type(rows[0]) is row_type("circuits.circuit")
    assert rows == graphs.ask("circuits.circuit", slot=S200, task="add", edges=2)
    assert [row.step for row in graphs.slots("toy") if row.partition == "reference"] == list(STEPS)
    assert "password" not in repr(graphs)


@pytest.mark.parametrize("name", sorted({name for name, _, written in ANSWERS if written}))
def test_every_value_is_of_the_type_that_its_header_states(graphs: Graphs, name: str) -> None:
    """Seen to fail with `circuits.bottlenecks`' pairs declared INTEGER."""
    params = next(params for asked, params, written in ANSWERS if asked == name and written)
    types = column_types(row_type(name))
    for row in graphs.ask(name, **params):
        assert {column for column, kind in types.items() if not fits(getattr(row, column), kind)} == set()


def test_a_number_comes_with_its_provenance(graphs: Graphs) -> None:
    (row,) = graphs.ask("house.provenance", slot=S200, task="add", source="m0.r1", target="logits", port="in")
    assert (row.weight, row.se, row.mean_abs, row.rank) == (-0.4, 0.01, 0.4, 4)
    assert (row.model, row.checkpoint, row.step, row.weights_digest) == ("toy", "200", 200, "weights of toy at 200")
    assert (row.path, row.rule, row.steps, row.baseline, row.dtype) == ("ports", "gauss-legendre", 5, "corrupted", "float64")
    assert (row.partition, row.graph_id) == ("reference", "toy-200-reference")
    assert (row.port_group, row.group_effect, row.group_gap, row.group_complete) == ("logits.in", pytest.approx(0.73), 0.01, False)
    assert [(one["split"], one["metric"], one["n"], one["prompts_digest"], one["solved"]) for one in row.prompts] == [
        ("eval", "logit_difference", 50, "prompts of add", True)
    ]
    types = column_types(row_type("house.provenance"))
    assert {column: getattr(row, column) for column, kind in types.items() if not fits(getattr(row, column), kind)} == {}
    assert isinstance(row.published, datetime)
    assert len(row.content_hash) == 64
    assert graphs.ask("house.provenance", slot=S200, task="add", source="m0.r1", target="logits", port="q") == []


def test_frames_have_every_column_with_its_type(graphs: Graphs) -> None:
    pandas = pytest.importorskip("pandas")
    frame = graphs.frame("circuits.faithfulness", slot="toy@0:reference", task="add")
    assert frame["n_edges"].isna().all()
    assert {name: str(kind) for name, kind in frame.dtypes.items()}["total"] == "Int64"
    circuit = graphs.frame("circuits.circuit", slot=S200, task="add", edges=3)
    assert circuit["weight"].sum() == pytest.approx(2.0)
    empty = graphs.frame("circuits.circuit", slot=S200, task="no such task")
    assert list(empty.columns) == list(circuit.columns)
    assert list(empty.dtypes) == list(circuit.dtypes)
    assert isinstance(empty, pandas.DataFrame)


def test_it_only_reads(graphs: Graphs, store: Neo4jStore) -> None:
    before = store.cypher("MATCH (n) RETURN count(n) AS n")
    with pytest.raises(QueryError, match="from Python the database is only read"):
        graphs.ask("publish.turn")
    for name in [name for name in dir(graphs) if not name.startswith("_")]:
        assert name in {"ask", "close", "frame", "questions", "slots"}
    assert store.cypher("MATCH (n) RETURN count(n) AS n") == before


def test_drawn_questions_give_their_nodes_and_relationships(graphs: Graphs) -> None:
    drawn = graphs.ask("draw.circuit", slot=S200, task="add", edges=2)
    assert [(row.source["name"], row.edge["weight"], row.target["name"]) for row in drawn] == [("m0.r0", 0.9, "logits"), ("a0.h0", 0.6, "m0.r0")]
    around = graphs.ask("draw.around", slot=S200, task="max", roi="m0.r2")
    assert [(row.source["name"], row.target["name"]) for row in around] == [("m0.r2", "logits"), ("a0.h1", "m0.r2")]
    studies = graphs.ask("draw.studies", study="hand", partition="reference")
    assert [(row.study["key"], row.model["name"], row.checkpoint["step"], row.version["id"]) for row in studies] == [
        ("hand", "toy", step, f"toy-{step}-reference") for step in STEPS
    ]
    matches = graphs.ask("draw.matches", slot_a="toy@100", slot_b=OWN200, jaccard=0.6)
    assert {(row.a["name"], row.b["name"], row.match["jaccard"]) for row in matches} >= {("m0.r1", "m0.r2", 1.0), ("m0.r4", "m0.r4", 2 / 3)}
    assert len(matches) == 6


def test_errors_are_one_sentence(graphs: Graphs) -> None:
    with pytest.raises(QueryError, match=r"did you mean 'circuits\.circuit'"):
        graphs.ask("circuits.circut")
    with pytest.raises(QueryError, match="has no parameter 'tsk'; did you mean 'task'"):
        graphs.ask("circuits.circuit", slot="toy@200", tsk="add")
    with pytest.raises(QueryError, match=r"no published checkpoint '300' of toy"):
        graphs.ask("circuits.circuit", slot="toy@300", task="add")
    with pytest.raises(StoreUnreachable, match=r"no database answers at bolt://127\.0\.0\.1:9"):
        roicg.connect("bolt://127.0.0.1:9", password="x").slots()


def test_the_list_of_questions_is_that_of_the_command_line(graphs: Graphs) -> None:
    asked = graphs.questions()
    assert [row.query for row in asked] == [query.name for query in questions()]
    assert next(row for row in asked if row.query == "circuits.circuit").needs == ("slot", "task")


def test_the_environment_names_the_database(store: Neo4jStore) -> None:
    code = "import roicg\nwith roicg.connect() as graphs: print(len(graphs.slots()))"
    given = store.address
    environment = {"ROICG_NEO4J_URI": given.uri, "ROICG_NEO4J_USER": given.user, "ROICG_NEO4J_PASSWORD": given.password}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout, done.returncode) == ("5\n", 0), done.stderr
