"""What the catalogue must answer about the hand-made graphs: (query, parameters, rows), worked out by hand from their weights."""

import math
from typing import Any

from tests.handmade import STEPS

S0, S100, S200 = (f"hand|toy@{step}|reference|ports" for step in STEPS)
OWN100, OWN200 = "hand|toy@100|own|ports", "hand|toy@200|own|ports"
COMMUNITIES = {
    100: [{"rois": ["a0.h0", "logits", "m0.r0"]}, {"rois": ["a0.h1", "m0.r1", "m0.r2"]}],
    200: [{"rois": ["a0.h0", "logits", "m0.r0", "m0.r1"]}, {"rois": ["a0.h1", "m0.r2"]}],
}
"""Of the reference graphs."""
ROLES = {
    100: [{"rois": ["m0.r2", "m0.r3", "m0.r4"]}, {"rois": ["m0.r0", "m0.r1"]}],
    200: [{"rois": ["m0.r0", "m0.r1", "m0.r2"]}, {"rois": ["m0.r3", "m0.r4"]}],
}
"""Of the own graphs."""


def _verdict(modularity: float, null: str, blocks: tuple[float, ...], configuration: tuple[float, ...], above: bool) -> dict[str, Any]:
    """Figures of both nulls as (mean, sd, z, p); those of ``null`` are shown first."""
    names = ("mean", "sd", "z", "p")
    figures = {"blocks": dict(zip(names, blocks, strict=True)), "configuration": dict(zip(names, configuration, strict=True))}
    shown = {"null_mean": figures[null]["mean"], "null_sd": figures[null]["sd"], "z": figures[null]["z"], "p": figures[null]["p"]}
    both = {f"{kind}_{name}": value for kind, one in figures.items() for name, value in one.items()}
    return {"task": "(mixture)", "gamma": 1.0, "edges": None, "modularity": modularity, "nearest_null": null, "above_null": above, **shown, **both}


VERDICTS = {
    100: _verdict(0.12, "blocks", (0.1, 0.02, 1.0, 0.4), (0.08, 0.01, 4.0, 0.1), False),
    200: _verdict(0.16, "configuration", (0.09, 0.01, 7.0, 0.05), (0.1, 0.01, 6.0, 0.05), True),
}
SIGNATURES = [
    {"a": "a0.h0", "b": "a0.h1", "signature": 1.0, "assigned": True},
    {"a": "a0.h1", "b": "a0.h0", "signature": 0.98, "assigned": True},
    {"a": "m0.r0", "b": "m0.r0", "signature": 0.95, "assigned": True},
    {"a": "m0.r0", "b": "m0.r1", "signature": 0.92, "assigned": False},
    {"a": "m0.r1", "b": "m0.r2", "signature": 0.99, "assigned": True},
    {"a": "m0.r2", "b": "m0.r3", "signature": 0.2, "assigned": True},
    {"a": "m0.r3", "b": "m0.r4", "signature": 0.91, "assigned": False},
    {"a": "m0.r4", "b": "m0.r4", "signature": 0.97, "assigned": True},
]
"""Between the own graphs at 100 and 200."""
AGREEMENT = {
    "within": "site", "tasks": ["add", "max"], "pairs": 6, "similarity": 0.85, "dealt": 0.7, "p": 0.02, "twins": 4, "twins_dealt": 2.5, "twins_p": 0.04,
    "held_out": 0.8, "held_out_chance": 0.5, "held_out_p": 0.01, "index": 0.55, "chance": 0.5, "index_p": 0.3,
}  # fmt: skip
HASHED = "…"
"""Stands for an id that is a hash."""

ANSWERS: list[tuple[str, dict[str, Any], list[tuple[Any, ...]]]] = [
    (
        "circuits.circuit",
        {"slot": S200, "task": "add", "edges": 5},
        [
            (1, "m0.r0", "logits", "in", 0.9, 0.9, 0.01, 0.9),
            (2, "a0.h0", "m0.r0", "in", 0.6, 0.6, 0.01, 0.6),
            (3, "tok", "a0.h0", "v", 0.5, 0.5, 0.01, 0.5),
            (4, "m0.r1", "logits", "in", -0.4, 0.4, 0.01, 0.4),
            (5, "tok", "m0.r0", "in", 0.3, 0.3, 0.01, 0.3),
        ],
    ),
    ("circuits.circuit", {"slot": S200, "task": "no such task", "edges": 5}, []),
    ("circuits.circuit", {"slot": "no such slot", "task": "add", "edges": 5}, []),
    (
        "circuits.strongest_paths",
        {"slot": S200, "task": "add"},
        [
            (1, ["tok", "m0.r0", "logits"], [0.3, 1.0], 0.3),
            (2, ["tok", "a0.h0", "m0.r0", "logits"], [0.4, 0.6, 1.0], 0.24),
            (3, ["tok", "m0.r1", "logits"], [0.2, 1.0], 0.2),
            (4, ["tok", "a0.h0", "m0.r1", "logits"], [0.4, 0.25, 1.0], 0.1),
            (5, ["tok", "a0.h1", "m0.r2", "logits"], [0.1, 0.8, 1.0], 0.08),
            (6, ["tok", "a0.h0", "logits"], [0.4, 0.15], 0.06),
            (7, ["tok", "a0.h1", "logits"], [0.1, 0.2], 0.02),
        ],
    ),
    (
        "circuits.strongest_paths",
        {"slot": S200, "task": "max", "paths": 2},
        [
            (1, ["tok", "a0.h1", "m0.r2", "logits"], [0.8 / 1.2, 0.7 / 0.9, 1.0], 0.8 / 1.2 * 0.7 / 0.9),
            (2, ["tok", "m0.r0", "logits"], [0.28 / 1.2, 1.0], 0.28 / 1.2),
        ],
    ),
    ("circuits.strongest_paths", {"slot": S200, "task": "no such task"}, []),
    (
        "circuits.bottlenecks",
        {"slot": S200, "task": "add"},
        # m0.r0: tok → logits and a0.h0 → logits; a0.h1: tok → m0.r2; m0.r2: a0.h1 → logits. All other pairs are joined best by one edge.
        [("m0.r0", "", 3, 2.0, 0.9, 0.9), ("a0.h1", "", 1, 1.0, 0.1, 0.1), ("m0.r2", "", 5, 1.0, 0.08, 0.05)],
    ),
    (
        "circuits.bottlenecks",
        {"slot": S200, "task": "max", "limit": 2},
        # a0.h1: tok → m0.r2 and tok → logits; m0.r2: tok → logits and a0.h1 → logits; third would be m0.r0 with a0.h0 → logits.
        [("a0.h1", "", 1, 2.0, 0.8, 0.9), ("m0.r2", "", 5, 2.0, 0.7, 0.75)],
    ),
    ("circuits.bottlenecks", {"slot": S200, "task": "no such task"}, []),
    (
        "circuits.pieces",
        {"slot": S200, "task": "max", "edges": 2},
        [(1, 2, 1, 0.8, True, False, ["a0.h1", "tok"]), (2, 2, 1, 0.75, False, True, ["logits", "m0.r2"])],
    ),
    ("circuits.pieces", {"slot": S200, "task": "max", "edges": 3}, [(1, 4, 3, 2.25, True, True, ["a0.h1", "logits", "m0.r2", "tok"])]),
    (
        "circuits.pieces",
        {"slot": S200, "task": "add", "edges": 8},  # the two ports q and k of a0.h0 are two edges of one pair
        [(1, 5, 8, 3.35, True, True, ["a0.h0", "logits", "m0.r0", "m0.r1", "tok"])],
    ),
    ("circuits.pieces", {"slot": OWN200, "task": "no such task"}, []),
    (
        "circuits.feeds",
        {"slot": S200, "task": "add", "roi": "a0.h0"},
        [("tok", "v", 0.5, 0.5, 0.01, 3, 0.625), ("tok", "k", -0.2, 0.2, 0.01, 7, 0.25), ("tok", "q", 0.1, 0.1, 0.01, 10, 0.125)],
    ),
    (
        "circuits.reads",
        {"slot": S200, "task": "add", "roi": "tok", "limit": 3},
        [
            ("a0.h0", "v", 0.5, 0.5, 0.01, 3, 0.5 / 1.4),
            ("m0.r0", "in", 0.3, 0.3, 0.01, 5, 0.3 / 1.4),
            ("a0.h0", "k", -0.2, 0.2, 0.01, 7, 0.2 / 1.4),
        ],
    ),
    (
        "circuits.hubs",
        {"slot": S200, "task": "add", "edges": 5},
        [("m0.r0", "", 3, 0.9, 2, 1, 0.9, 0.9), ("a0.h0", "", 1, 0.5, 1, 1, 0.5, 0.6)],
    ),
    (
        "circuits.same_profile",
        {"slot": S200, "task": "add", "roi": "m0.r0"},
        [("m0.r2", "", 5, 0.045 / math.sqrt(1.26 * 0.0089)), ("m0.r1", "", 2, -0.15 / math.sqrt(1.26 * 0.2625))],
    ),
    (
        "circuits.cancelling_edges",
        {"slot": S200, "task": "add"},
        [("tok", "a0.h1", "v", 0.1, 0.1, 0.9, 0.8, 11), ("a0.h1", "logits", "in", 0.02, 0.02, 0.3, 0.28, 14)],
    ),
    ("circuits.cancelling_edges", {"slot": S200, "task": "max"}, []),
    (
        "circuits.faithfulness",
        {"slot": S0, "task": "add"},
        [
            ("weight", None, 16, *[None] * 11, "no_effect", 50, False, HASHED),
            ("random", None, 16, *[None] * 11, "no_effect", 50, False, HASHED),
        ],
    ),
    (
        "circuits.faithfulness",
        {"slot": S200, "task": "add"},
        [
            ("weight", 4, 16, 0.5, 0.45, 0.55, 0.4, 0.5, 0.4, 0.25, 0.2, 0.7, 0.65, 0.35, None, 50, True, HASHED),
            ("weight", 6, 16, 0.8, 0.75, 0.85, 0.3, 0.8, 0.1, 0.5, 0.4, 0.7, 0.65, 0.35, None, 50, True, HASHED),
            ("weight", 9, 16, 0.95, 0.9, 1.0, 0.2, 0.95, 0.05, 0.75, 0.6, 0.7, 0.65, 0.35, None, 50, True, HASHED),
            ("weight", 16, 16, 1.0, 0.95, 1.05, 0.1, 1.0, 0.0, 1.0, 1.0, 0.7, 0.65, 0.35, None, 50, True, HASHED),
            ("random", 4, 16, 0.25, 0.2, 0.3, 0.4, 0.25, None, None, None, 0.35, None, None, None, 50, True, HASHED),
            ("random", 6, 16, 0.4, 0.35, 0.45, 0.3, 0.4, None, None, None, 0.35, None, None, None, 50, True, HASHED),
            ("random", 9, 16, 0.475, 0.425, 0.525, 0.2, 0.475, None, None, None, 0.35, None, None, None, 50, True, HASHED),
            ("random", 16, 16, 0.5, 0.45, 0.55, 0.1, 0.5, None, None, None, 0.35, None, None, None, 50, True, HASHED),
        ],
    ),
    (
        "circuits.least_edges",
        {"slot": S200},
        [("add", 9, 16, 9 / 16, 0.95, 0.9, 1.0, True, None), ("max", 4, 16, 0.25, 0.92, 0.87, 0.97, True, None)],
    ),
    (
        "circuits.least_edges",
        {"slot": S100, "faithfulness": 0.9},
        [("add", None, 16, None, None, None, None, False, None), ("max", 16, 16, 1.0, 1.0, 0.95, 1.05, True, None)],
    ),
    ("circuits.least_edges", {"slot": S0}, [(task, None, 16, None, None, None, None, False, "no_effect") for task in ("add", "max")]),
    (
        "tasks.shared_by_all",
        {"slot": S200, "edges": 5},
        [("m0.r0", "logits", "in", 4, ["add", "max"], [0.9, 0.3], True), ("tok", "m0.r0", "in", 5, ["add", "max"], [0.3, 0.28], True)],
    ),
    (
        "tasks.private_to_one",
        {"slot": S200, "task": "add", "edges": 5},
        [
            (2, "a0.h0", "m0.r0", "in", 0.6, 0.6, "max", 8),
            (3, "tok", "a0.h0", "v", 0.5, 0.5, "max", 7),
            (4, "m0.r1", "logits", "in", -0.4, 0.4, "max", 9),
        ],
    ),
    (
        "tasks.private_to_one",
        {"slot": S200, "task": "max", "edges": 3},
        [
            (1, "tok", "a0.h1", "v", 0.8, 0.8, "add", 11),
            (2, "m0.r2", "logits", "in", 0.75, 0.75, "add", 13),
            (3, "a0.h1", "m0.r2", "in", 0.7, 0.7, "add", 12),
        ],
    ),
    ("tasks.overlap", {"slot": S200, "edges": 5}, [("add", "max", 2, 8, 0.25, (5 / 16) / (2 - 5 / 16), True)]),
    ("tasks.overlap", {"slot": S100, "edges": 16}, [("add", "max", 16, 16, 1.0, 1.0, False)]),
    (
        "tasks.scores",
        {"slot": S200},
        [("add", "eval", "logit_difference", 50, 2.0, -1.0, 1.0, True), ("max", "eval", "logit_difference", 50, 1.96, -1.0, 0.98, True)],
    ),
    (
        "tasks.separating_rois",
        {"slot": S200, "hurt": "add", "spare": "max", "limit": 3},
        [
            ("a0.h0", "", 1, 1 / 2.45, 0.077 / 2.067, 1 / 2.45 - 0.077 / 2.067),
            ("m0.r0", "", 3, 0.9 / 2.45, 0.3 / 2.067, 0.9 / 2.45 - 0.3 / 2.067),
            ("m0.r1", "", 2, 0.4 / 2.45, 0.04 / 2.067, 0.4 / 2.45 - 0.04 / 2.067),
        ],
    ),
    (
        "tasks.purity",
        {"slot": S200, "limit": 3},
        [
            ("m0.r2", "", 5, "max", (0.75 / 2.067) / (0.75 / 2.067 + 0.05 / 2.45), 0.75 / 2.067),
            ("a0.h0", "", 1, "add", (1 / 2.45) / (1 / 2.45 + 0.077 / 2.067), 1 / 2.45),
            ("a0.h1", "", 1, "max", (0.9 / 2.067) / (0.9 / 2.067 + 0.1 / 2.45), 0.9 / 2.067),
        ],
    ),
    (
        "structure.rois",
        {"slot": S200},
        [
            ("tok", "tok", "tok", 1, "", False, None, None, None, None, None, None, None),
            ("a0.h0", "a0", "attention", 1, "", False, None, None, None, None, None, None, None),
            ("a0.h1", "a0", "attention", 1, "", False, None, None, None, None, None, None, None),
            ("m0.r2", "m0", "mlp", 5, "", False, True, 0.4, 9.0, 7.5, 0.05, 0.05, 0.9),
            ("m0.r0", "m0", "mlp", 3, "", False, True, 0.4, 9.0, 7.5, 0.05, 0.05, 0.9),
            ("m0.r1", "m0", "mlp", 2, "", False, True, 0.4, 9.0, 7.5, 0.05, 0.05, 0.9),
            ("m0.rest", "m0", "mlp", 2, "", True, True, 0.4, 9.0, 7.5, 0.05, 0.05, 0.9),
            ("logits", "logits", "logits", 1, "", False, None, None, None, None, None, None, None),
        ],
    ),
    (
        "structure.flow",
        {"slot": S200, "task": "add", "limit": 3},
        [("m0.r1", "", 0.45, -0.4, -0.85, 1.0), ("a0.h0", "", 0.4, 1.0, 0.6, 0.6 / 1.4), ("m0.r2", "", 0.08, 0.05, -0.03, 0.03 / 0.13)],
    ),
    (
        "structure.port_groups",
        {"slot": S200},
        [
            ("add", "a0.k", -0.2, 0.0, 0.0, 5, "ports", True, False),
            ("add", "a0.q", 0.1, 0.0, 0.0, 5, "ports", True, False),
            ("add", "a0.v", 0.6, 0.0, 0.0, 5, "ports", True, False),
            ("add", "logits.in", 0.73, 0.01, 0.01 / 0.73, 5, "ports", False, False),
            ("add", "m0.in", 1.43, 0.0, 0.0, 5, "ports", True, False),
            ("max", "a0.k", 0.01, 0.0, 0.0, 5, "ports", True, False),
            ("max", "a0.q", 0.02, 0.0, 0.0, 5, "ports", True, False),
            ("max", "a0.v", 0.86, 0.0, 0.0, 5, "ports", True, False),
            ("max", "logits.in", 1.302, 0.0, 0.0, 5, "ports", True, False),
            ("max", "m0.in", 0.975, 0.0, 0.0, 5, "ports", True, False),
        ],
    ),
    (
        "structure.communities",
        {"slot": S200},
        [
            ("(mixture)", 1.0, None, 0, 4, ["a0.h0", "logits", "m0.r0", "m0.r1"], 0.16, "configuration", 0.1, 0.01, 6.0, 0.05, 7.0, 6.0, True, HASHED),
            ("(mixture)", 1.0, None, 1, 2, ["a0.h1", "m0.r2"], 0.16, "configuration", 0.1, 0.01, 6.0, 0.05, 7.0, 6.0, True, HASHED),
        ],
    ),
    ("structure.communities", {"slot": OWN200}, []),
    (
        "structure.roles",
        {"slot": OWN100},
        [
            ("(mixture)", 1.0, 0, 3, ["m0.r2", "m0.r3", "m0.r4"], 0.12, "blocks", 0.1, 0.02, 1.0, 0.4, 1.0, 4.0, False, HASHED),
            ("(mixture)", 1.0, 1, 2, ["m0.r0", "m0.r1"], 0.12, "blocks", 0.1, 0.02, 1.0, 0.4, 1.0, 4.0, False, HASHED),
        ],
    ),
    (
        "structure.division",
        {"analysis": "roles by hand at 200"},
        [
            (0, ["m0.r0", "m0.r1", "m0.r2"], "(mixture)", 1.0, None, 0.16, 0.09, 0.01, 7.0, 0.05, 0.1, 0.01, 6.0, 0.05, True),
            (1, ["m0.r3", "m0.r4"], "(mixture)", 1.0, None, 0.16, 0.09, 0.01, 7.0, 0.05, 0.1, 0.01, 6.0, 0.05, True),
        ],
    ),
    (
        "structure.bridges",
        {"slot": S200, "task": "add", "limit": 4},
        [
            ("m0.r2", "", 1, 0.13, 0.05 / 0.13, 1 - (0.08**2 + 0.05**2) / 0.13**2, True),
            ("a0.h1", "", 1, 0.1, 0.2, 0.32, True),
            ("logits", "", 0, 1.52, 0.07 / 1.52, 1 - (1.45**2 + 0.07**2) / 1.52**2, True),
            ("m0.r0", "", 0, 1.5, 0.0, 0.0, True),
        ],
    ),
    ("structure.bridges", {"slot": OWN200, "task": "add"}, []),
    (
        "structure.modularity_by_checkpoint",
        {"slot": S100},
        [
            (100, "100", "(mixture)", 1.0, None, 2, 0.12, "blocks", 0.1, 0.02, 1.0, 0.4, 1.0, 4.0, False),
            (200, "200", "(mixture)", 1.0, None, 2, 0.16, "configuration", 0.1, 0.01, 6.0, 0.05, 7.0, 6.0, True),
        ],
    ),
    ("structure.modularity_by_checkpoint", {"slot": S100, "kind": "roles"}, []),
    (
        "compare.edge_drift",
        {"slot_a": S100, "slot_b": S200, "task": "add", "limit": 4},
        [
            ("m0.r0", "logits", "in", 0.5, 0.9, 0.4, 0.4 / math.sqrt(2e-4), 1, 1),
            ("a0.h0", "m0.r0", "in", 0.3, 0.6, 0.3, 0.3 / math.sqrt(2e-4), 2, 2),
            ("tok", "a0.h0", "v", 0.2, 0.5, 0.3, 0.3 / math.sqrt(2e-4), 4, 3),
            ("m0.r1", "logits", "in", -0.25, -0.4, -0.15, -0.15 / math.sqrt(2e-4), 3, 4),
        ],
    ),
    ("compare.edge_drift", {"slot_a": OWN100, "slot_b": OWN200, "task": "add"}, []),
    (
        "compare.entry_and_exit",
        {"slot": S0, "task": "add", "edges": 3},
        [
            (0, "0", "enter", "m0.r0", "logits", "in", "two checkpoints"),
            (0, "0", "enter", "tok", "a0.h0", "q", "beyond 2 se"),
            (100, "100", "enter", "a0.h0", "m0.r0", "in", "two checkpoints"),
            (100, "100", "enter", "m0.r1", "logits", "in", "beyond 2 se"),
            (100, "100", "exit", "tok", "a0.h0", "q", "two checkpoints"),
            (200, "200", "enter", "tok", "a0.h0", "v", "beyond 2 se"),
        ],
    ),
    (
        "compare.entry_and_exit",
        {"slot": S200, "task": "max", "edges": 11},
        [
            (0, "0", "enter", "a0.h0", "logits", "in", "two checkpoints"),
            (0, "0", "enter", "a0.h0", "m0.r0", "in", "two checkpoints"),
            (0, "0", "enter", "a0.h1", "logits", "in", "two checkpoints"),
            (0, "0", "enter", "a0.h1", "m0.r2", "in", "two checkpoints"),
            (0, "0", "enter", "m0.r0", "logits", "in", "two checkpoints"),
            (0, "0", "enter", "m0.r1", "logits", "in", "two checkpoints"),
            (0, "0", "enter", "m0.r2", "logits", "in", "two checkpoints"),
            (0, "0", "enter", "tok", "a0.h1", "v", "two checkpoints"),
            (100, "100", "enter", "tok", "a0.h0", "v", "two checkpoints"),
            (100, "100", "enter", "tok", "m0.r0", "in", "two checkpoints"),
            (100, "100", "enter", "tok", "m0.r1", "in", "two checkpoints"),
            (200, "200", "exit", "a0.h0", "logits", "in", "within 2 se"),
        ],
    ),
    (
        "compare.which_changed_most",
        {"slot": S200, "task": "add", "edges": 5},
        [(0, 100, "0", "100", 1.89, 1.89 / 2.39, 0.25), (100, 200, "100", "200", 1.82, 1.82 / 5.88, 1.0)],
    ),
    (
        "compare.roi_matches",
        {"slot_a": OWN100, "slot_b": OWN200, "jaccard": 0.3},
        [
            ("a0.h0", "a0.h0", 1.0, 1, 1, HASHED),
            ("a0.h1", "a0.h1", 1.0, 1, 1, HASHED),
            ("logits", "logits", 1.0, 1, 1, HASHED),
            ("m0.r1", "m0.r2", 1.0, 2, 2, HASHED),
            ("tok", "tok", 1.0, 1, 1, HASHED),
            ("m0.r4", "m0.r4", 2 / 3, 2, 3, HASHED),
            ("m0.r0", "m0.r0", 0.5, 4, 2, HASHED),
            ("m0.r0", "m0.r1", 0.5, 4, 2, HASHED),
            ("m0.r3", "m0.r4", 1 / 3, 1, 3, HASHED),
        ],
    ),
    (
        "compare.roi_matches",
        {"slot_a": OWN200, "slot_b": OWN100, "jaccard": 0.6},
        [
            ("a0.h0", "a0.h0", 1.0, 1, 1, HASHED),
            ("a0.h1", "a0.h1", 1.0, 1, 1, HASHED),
            ("logits", "logits", 1.0, 1, 1, HASHED),
            ("m0.r2", "m0.r1", 1.0, 2, 2, HASHED),
            ("tok", "tok", 1.0, 1, 1, HASHED),
            ("m0.r4", "m0.r4", 2 / 3, 3, 2, HASHED),
        ],
    ),
    (
        "compare.births_deaths",
        {"slot_a": OWN100, "slot_b": OWN200},
        [
            ("birth", "m0.r3", 1, [], []),
            ("death", "m0.r2", 1, [], []),
            ("merge", "m0.r4", 3, ["m0.r4", "m0.r3"], [2 / 3, 1 / 3]),
            ("split", "m0.r0", 4, ["m0.r0", "m0.r1"], [0.5, 0.5]),
        ],
    ),
    (
        "compare.births_deaths",
        {"slot_a": OWN100, "slot_b": OWN200, "by": "signature", "least": 0.9},
        [
            ("birth", "m0.r3", 1, [], []),
            ("death", "m0.r2", 1, [], []),
            ("merge", "m0.r4", 3, ["m0.r4", "m0.r3"], [0.97, 0.91]),
            ("split", "m0.r0", 4, ["m0.r0", "m0.r1"], [0.95, 0.92]),
        ],
    ),
    ("compare.births_deaths", {"slot_a": OWN100, "slot_b": OWN200, "by": "no such way"}, []),
    ("compare.births_deaths", {"slot_a": S100, "slot_b": S200}, []),
    (
        "compare.emergence",
        {"slot": S100},
        [
            (0, "0", "add", 0.05, False, 1.1, None, 16, None, None, None, None, None, None),
            (100, "100", "add", 0.6, False, 2.2, None, 16, 0.7, 0.12, 0.1, 1.0, 0.4, False),
            (200, "200", "add", 1.0, True, 3.0, 9, 16, 0.7, 0.16, 0.1, 6.0, 0.05, True),
            (0, "0", "max", 0.3, False, 1.6, None, 16, None, None, None, None, None, None),
            (100, "100", "max", 0.95, True, 2.9, 16, 16, 0.7, 0.12, 0.1, 1.0, 0.4, False),
            (200, "200", "max", 0.98, True, 2.96, 4, 16, 0.7, 0.16, 0.1, 6.0, 0.05, True),
        ],
    ),
    ("compare.node_set", {"slot": OWN100}, [("hand|toy", "100", 100, "own", "ports", HASHED, "toy-100-own", HASHED, ["add", "max"])]),
    (
        "compare.profiles",
        {"slot": OWN100},
        [(f"m0.r{i}", 3 + i, "mlp", 0, task, "writes", "in", "logits", None, 0.1) for i in range(5) for task in ("add", "max")],
    ),
    (
        "compare.signature_matches",
        {"slot_a": OWN100, "slot_b": OWN200},
        [
            ("a0.h0", "a0.h1", 1.0, True, 1, 1, HASHED),
            ("m0.r1", "m0.r2", 0.99, True, 2, 2, HASHED),
            ("a0.h1", "a0.h0", 0.98, True, 1, 1, HASHED),
            ("m0.r4", "m0.r4", 0.97, True, 2, 3, HASHED),
            ("m0.r0", "m0.r0", 0.95, True, 4, 2, HASHED),
            ("m0.r2", "m0.r3", 0.2, True, 1, 1, HASHED),
        ],
    ),
    (
        "compare.agreement",
        {"slot": OWN200},
        [(OWN100, "site", ["add", "max"], 6, 0.85, 0.7, 0.02, 4, 2.5, 0.04, 0.8, 0.5, 0.01, 0.55, 0.5, 0.3)],
    ),
    (
        "compare.community_flow",
        {"slot_a": S100, "slot_b": S200},
        [(0, 0, 5, 1.0, 5 / 7, 7 / 13, 3, 4, False, True), (1, 1, 6, 0.75, 1.0, 6 / 13, 3, 2, False, True), (1, 0, 2, 0.25, 2 / 7, 7 / 13, 3, 4, False, True)],
    ),
    (
        "compare.community_flow",
        {"slot_a": OWN100, "slot_b": OWN200, "kind": "roles"},
        [(0, 1, 3, 0.75, 0.75, 0.4, 3, 2, False, True), (1, 0, 6, 1.0, 1.0, 0.6, 2, 3, False, True)],
    ),
    ("compare.community_flow", {"slot_a": S100, "slot_b": OWN200}, []),
    (
        "compare.across_models",
        {"study": "hand", "task": "add", "partition": "reference"},
        [("toy", "200", 1, 2, 12, 1.0, True, 3.0, 8, 16, 9, 0.7, 0.16, 0.1, 6.0, True, S200)],
    ),
    ("compare.across_models", {"study": "hand", "task": "no such task"}, []),
]
