"""What findings tell of rows whose meaning is known."""

import json
from typing import Any

import numpy as np
import pytest

from roicg.core.settings import Study
from roicg.findings import matching, one_edge, separation, size, subgraphs, units
from roicg.findings.finding import Measured

TASKS = ["a", "b"]


def study(seeds: int = 3) -> Study:
    models = [
        {
            "name": f"m-s{seed}",
            "source": {"kind": "trained", "recipe": "multitask", "seed": seed, "config": {"n_layers": 1, "d_model": 32}, "checkpoints": [9]},
            "tasks": ["a"],
        }
        for seed in range(seeds)
    ]
    return Study.model_validate({"study": "s", "models": models, "tasks": [{"name": "a", "prompts": {"kind": "generated", "recipe": "multitask.add"}}]})


def told(rows: list[dict[str, Any]], seeds: int = 3) -> list[Measured]:
    return [Measured(f"m-s{seed}", "9", 9, tuple(rows)) for seed in range(seeds)]


def sets(unit: str, direction: str, phi: list[list[float]], null: np.ndarray, *, solved: bool = True) -> dict[str, Any]:
    return {
        "unit": unit,
        "chosen_by": "share",
        "direction": direction,
        "tasks": json.dumps(TASKS),
        "units": 10,
        "sizes": json.dumps([2, 3]),
        "phi": json.dumps(phi),
        "null": json.dumps(null.tolist()),
        "solved": solved,
    }


def chance(seed: int) -> np.ndarray:
    return np.round(np.random.default_rng(seed).normal(0.5, 0.05, (2, 40, 2)), 3)


def test_a_unit_that_parts_tasks_has_its_gap_and_a_small_p_and_chance_has_neither() -> None:
    """Seen to fail with p taken of the smallest instead of the largest of the tasks' p, and with the own sets read off the other diagonal."""
    rows = []
    for direction, apart in (("ablate", [[0.1, 0.9], [1.0, 0.2]]), ("keep", [[0.9, 0.0], [0.1, 0.8]])):
        rows += [sets("edges", direction, apart, chance(1)), sets("chance", direction, [[0.5, 0.5], [0.5, 0.5]], chance(2))]
    ablate, keep = separation.tables(study(), told(rows))[:2]
    by_unit = {row[1]: dict(zip(ablate.columns, row, strict=True)) for row in ablate.rows}
    assert by_unit["edges"]["gap"] == pytest.approx(0.8)
    assert by_unit["edges"]["φ own"] == pytest.approx(0.15)
    assert by_unit["edges"]["φ others'"] == pytest.approx(0.95)
    assert by_unit["edges"]["p"] < 0.01
    assert by_unit["edges"]["size"] == "2–3 of 10"
    assert by_unit["chance"]["gap"] == pytest.approx(0.0)
    assert by_unit["chance"]["p"] > 0.3
    assert {row[1]: row[6] for row in keep.rows}["edges"] == pytest.approx(0.8)


def test_the_matrix_is_that_of_the_unit_with_the_greatest_gap() -> None:
    rows = [sets("edges", "keep", [[0.9, 0.0], [0.1, 0.8]], chance(1)), sets("other", "keep", [[0.5, 0.5], [0.5, 0.5]], chance(2))]
    rows += [{**row, "direction": "ablate"} for row in rows]
    matrix = separation.tables(study(), told(rows))[-1]
    assert matrix.columns == ("set of", "a", "b", "size")
    assert matrix.rows == (("a", "0.90 (0.90–0.90)", "0.00 (0.00–0.00)", "2–2"), ("b", "0.10 (0.10–0.10)", "0.80 (0.80–0.80)", "3–3"))
    assert "edges chosen by share (3 of 3). Gap 0.80 (0.80–0.80)" in matrix.note


def test_the_unit_of_a_seed_is_picked_by_the_other_seeds() -> None:
    """``lucky`` parts the tasks wholly in one seed and not at all in the others; seen to fail with the unit of the greatest mean gap."""
    apart, alike = [[0.1, 0.9], [0.9, 0.1]], [[0.5, 0.5], [0.5, 0.5]]
    fair = [[0.3, 0.7], [0.7, 0.3]]
    measured = []
    for seed in range(3):
        lucky = [[-2.0, 2.0], [2.0, -2.0]] if seed == 0 else alike
        rows = [sets("edges", "ablate", fair, chance(1)), sets("lucky", "ablate", lucky, chance(2))]
        measured.append(Measured(f"m-s{seed}", "9", 9, (*rows, *({**row, "direction": "keep", "phi": json.dumps(apart)} for row in rows))))
    matrix = separation.tables(study(), measured)[2]
    assert "edges chosen by share (1 of 3); lucky chosen by share (2 of 3). Gap 0.13 (0.00–0.40)" in matrix.note


def test_a_task_without_effect_is_left_out_and_all_without_are_said() -> None:
    half = sets("x", "ablate", [[0.1, 0.0], [0.9, 0.0]], chance(1))
    half["phi"] = json.dumps([[0.1, None], [0.9, None]])
    half["null"] = json.dumps([[[v[0], None] for v in pool] for pool in chance(1).tolist()])
    none = {**half, "unit": "none", "phi": json.dumps([[None, None]] * 2), "solved": False}
    rows = {row[1]: dict(zip(table.columns, row, strict=True)) for table in separation.tables(study(), told([half, none]))[:1] for row in table.rows}
    assert rows["x"]["gap"] == pytest.approx(0.8)
    assert (rows["none"]["gap"], rows["none"]["p"], rows["none"]["gaps of seeds"], rows["none"]["solved"]) == (None, None, "no effect", False)


def test_units_are_compared_level_by_level_and_a_lead_names_its_range() -> None:
    def row(unit: str, area: float) -> dict[str, Any]:
        return {
            "level": "8",
            "unit": unit,
            "stability": 0.5,
            "nodes": 10,
            "edges": 99,
            "areas": json.dumps([area, None]),
            "solved": True,
            "ablate": json.dumps([0.2, 0.4]),
            "keep": json.dumps([0.1, None]),
        }

    rows = [row("random groups", 0.5), row("random groups", 0.7), row("neurons", 0.8), row("ROIs", 0.75)]
    table, winners = units.tables(study(), told(rows))
    cells = {line[1]: line for line in table.rows}
    assert cells["ROIs"][4:7] == ("0.750 (0.750–0.750)", "0.150 (0.150–0.150)", "0.300 (0.300–0.300)")
    assert cells["random groups"][5] is None
    assert winners.rows[0][:2] == ("8", "neurons (+0.050 to +0.050 over ROIs)")


def test_the_size_table_counts_solved_tasks_only() -> None:
    def row(task: str, *, solved: bool, area: float) -> dict[str, Any]:
        return {
            "kind": "task",
            "partition": "own",
            "task": task,
            "accuracy": 1.0,
            "solved": solved,
            "edges": 10,
            "least": 2,
            "area": area,
            "hub": "x",
            "hub_share": 0.1,
            "length": 2.0,
        }

    rows = [row("a", solved=True, area=0.8), row("b", solved=False, area=0.1)]
    rows.append({"kind": "checkpoint", "rois": 4, "above_null": 0, "sites": 1, "communities": 2, "modularity": 0.1, "z": -2.0})
    (table,) = size.tables(study(), told(rows))
    line = dict(zip(table.columns[:8], table.rows[0][:8], strict=True))
    assert line["solved"] == "3 of 6"
    assert line["edges"] == "0.20 (0.20–0.20)"
    assert line["area"] == "0.80 (0.80–0.80)"
    assert (line["layers"], line["width"]) == (1, 32)


def test_the_chosen_edge_spares_the_other_task() -> None:
    """Seen to fail with the two tasks exchanged."""
    ends = [("x", "y", "in"), ("x", "z", "in"), ("y", "z", "q")]
    place_of = {"x": 3, "z": 4}
    chosen_on = {"a": [0.0, 0.1, 1.0, 0.0, 0.0], "b": [0.5, 0.98, 1.0, 0.0, 0.9]}
    tell = {"a": [0.0, 0.2, 0.9, 0.05, 0.1], "b": [0.4, 1.0, 1.0, 0.1, 0.8]}
    row = one_edge._row("a", "b", ends, chosen_on, tell, {"a": 1.0, "b": 1.0}, place_of)
    assert (row["source"], row["target"], row["hurt_edge"], row["spare_edge"]) == ("x", "z", 0.2, 1.0)
    assert (row["spare_source"], row["spare_target"]) == (0.1, 0.8)
    (table,) = one_edge.tables(study(), told([row]))
    assert table.rows[0][1:6] == ("a", "b", "x → z (in)", "1.00 (1.00–1.00) / 1.00 (1.00–1.00)", "0.20 (0.20–0.20) / 1.00 (1.00–1.00)")


def test_cuts_are_told_beside_their_own_graph() -> None:
    cut = {
        "kind": "cut",
        "task": "a",
        "solved": True,
        "edges": 100,
        "mixture": 50,
        "n": 20,
        "cut": 0.88,
        "own": 0.92,
        "random": 0.3,
        "curve_n": "[20]",
        "curve_cut": "[0.88]",
        "curve_own": "[0.92]",
    }
    overlap = {"kind": "overlap", "edges": 10, "task_a": "a", "task_b": "b", "jaccard": 0.25, "expected": 0.05, "solved": True}
    communities = {"kind": "communities", "rois": 9, "nmi": 0.3, "null": 0.2, "p": 0.1, "above_null": False}
    cuts, overlaps, found = subgraphs.tables(study(), told([cut, overlap, communities]))
    assert cuts.rows[0][2] == "20%"
    assert cuts.rows[0][6] == "0.96 (0.96–0.96)"
    assert overlaps.rows[0][3:5] == ("0.25 (0.25–0.25)", 0.05)
    assert found.rows[0][4] == "0 of 3"


def test_matches_are_told_beside_their_controls() -> None:
    row = {
        "relation": "seed",
        "other": "m-s0@9",
        "pairs": 9,
        "similarity": 0.8,
        "dealt": 0.7,
        "p": 0.01,
        "twins": 5,
        "twins_dealt": 3.21,
        "twins_p": 0.1,
        "index": 0.4,
        "chance": 0.41,
        "index_p": 0.6,
        "held_out": 0.5,
        "held_out_chance": 0.3,
        "held_out_p": 0.2,
    }
    for what, chance in (("function", 0.3), ("task", 0.25)):
        row |= {f"{what}_chance": chance}
        for how, value, p in (("matched", 0.9, 0.005), ("index", 0.35, 0.2)):
            row |= {f"{what}_{how}": value, f"{what}_{how}_p": p}
    before = {**row, "relation": "before", "p": 0.2}
    table, function, short, functions = matching.tables(study(), told([row, before], 1))
    assert table.rows[0] == ("m-s0@9", "m-s0@9", "another seed", 0.8, 0.7, 0.01, "5 of 9, 3.2 by chance", 0.4, 0.41, 0.6, 0.5, 0.2)
    assert function.rows[0][4:] == (
        *("0.90 (p 0.005)", "0.30", "0.35 (p 0.200)"),
        *("90% (p 0.005)", "25%", "35% (p 0.200)"),
    )
    assert short.rows == (("the checkpoint before", 1, "0.10", "0 of 1", "0 of 1"), ("another seed", 1, "0.10", "1 of 1", "0 of 1"))
    assert functions.rows[1][1:] == ("another seed", 1, "0.60", "1 of 1", "0.05", "0 of 1", "90% (25%)")
