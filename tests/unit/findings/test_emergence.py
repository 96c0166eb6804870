"""Steps of change, where they are known."""

import json
from typing import Any

import pytest

from roicg.core.settings import Study
from roicg.findings.emergence import Course, first_at, kin, tables
from roicg.findings.finding import Measured

STEPS = (0, 50, 100, 200, 300, 400)
WEIGHTS = {
    "unseen": (0.0, 0.1, 0.2, 0.3, 2.0, 2.1),
    "seen": (0.0, 5.0, 6.0, 6.1, 6.5, 6.6),
    "all": (0.0, 2.0, 2.3, 2.5, 3.9, 4.0),
    "max": (0.0, 9.0, 9.0, 9.0, 9.0, 9.5),
}
ACCURACY = {
    "unseen": (0.0, 0.0, 0.1, 0.4, 0.6, 1.0),
    "seen": (0.0, 0.5, 1.0, 1.0, 1.0, 1.0),
    "all": (0.0, 0.3, 0.6, 0.8, 0.9, 1.0),
    "max": (0.0, 1.0, 1.0, 1.0, 1.0, 1.0),
}
MOVED = (None, 3.0, 2.0, 1.0, 1.0, 4.0)


def study() -> Study:
    def task(name: str, recipe: str = "multitask.add", **more: Any) -> dict[str, Any]:
        return {"name": name, "prompts": {"kind": "generated", "recipe": recipe, **more}}

    models = [
        {"name": f"m-s{seed}", "source": {"kind": "trained", "recipe": "multitask", "seed": seed, "checkpoints": list(STEPS)}, "tasks": list(WEIGHTS)}
        for seed in (0, 1)
    ]
    tasks = [task("unseen", held_out=0.4, cases="held_out"), task("seen", held_out=0.4, cases="trained"), task("all"), task("max", "multitask.max")]
    return Study.model_validate({"study": "s", "models": models, "tasks": tasks})


def measured() -> list[Measured]:
    found = []
    for model in ("m-s0", "m-s1"):
        for i, step in enumerate(STEPS):
            rows: list[dict[str, Any]] = [
                {
                    "kind": "task",
                    "task": task,
                    "accuracy": ACCURACY[task][i],
                    "edges": 2,
                    "least": 1 if i else None,
                    "area": 0.5,
                    "hub": "m0.r0",
                    "hub_share": 0.2,
                    "length": 2.0,
                    "weights": json.dumps([values[i], -values[i]]),
                }
                for task, values in WEIGHTS.items()
            ]
            rows.append({"kind": "checkpoint", "rois": 5, "above_null": 1, "sites": 2, "communities": 2, "modularity": 0.1, "z": -1.0, "moved": MOVED[i]})
            found.append(Measured(model, str(step), step, tuple(rows)))
    return found


def test_the_greatest_change_is_looked_for_from_the_fitted_step_on() -> None:
    """Seen to fail with the earlier of the two steps told, and with changes before the fitted step counted."""
    course = Course.of(measured()[: len(STEPS)])
    assert first_at(course.steps, course.accuracy("seen"), 0.99) == 100
    assert first_at(course.steps, course.accuracy("unseen"), 0.5) == 300
    assert [course.greatest_change(of, 100) for of in ("unseen", "all", "max", "parameters")] == [300, 300, 400, 400]
    assert course.greatest_change("seen", 0) == 50
    assert course.greatest_change("mixture", 100) is not None
    assert course.greatest_change("all", 400) is None
    assert (course.greatest_rise("all", 100), course.greatest_rise("all", 0), course.greatest_rise("all", 400)) == (200, 50, None)


def test_tasks_of_one_recipe_are_kin() -> None:
    assert kin(study()) == [("seen", "unseen", ("unseen", "seen", "all"))]


def test_the_table_says_how_far_off_each_graph_is() -> None:
    change, hits, curves, course = tables(study(), measured())
    rows = {(row[0], row[1]): row[2:] for row in change.rows}
    assert rows["m-s0", "unseen"] == (100, 300, pytest.approx(1 / 17), 300, "+0%", True, 1 / 3, 400, "-25%", False, 1 / 3)
    assert rows["m-s1", "parameters (control)"] == (100, 400, 0.25, 300, "+25%", False, 1 / 3, 400, "+0%", True, 1 / 3)
    assert ("m-s0", "max") not in rows
    told = {row[0]: row[1:] for row in hits.rows}
    assert told["unseen"] == ("2 of 2", pytest.approx(1 / 9), "0 of 2", 1.0)
    assert told["parameters (control)"] == ("0 of 2", 1.0, "2 of 2", pytest.approx(1 / 9))
    assert course.columns[:5] == ("step", "unseen", "seen", "all", "max")
    assert course.rows[-1][:3] == (400, "1.00 (1.00–1.00)", "1.00 (1.00–1.00)")
    assert course.rows[0][5] == "–"
    assert curves.rows[3][:2] == ("200–300", "1.00 (1.00–1.00)")
    assert curves.columns[-1] == "parameters (control)"
