"""R² without a refit, signs where the change is clear, and a plot that stands alone."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from roicg.circuits.calibration import CEILING, Calibration, calibrate, random_sets
from roicg.circuits.calibration_plot import PANEL, calibration_svg
from roicg.circuits.effects import Effect
from roicg.circuits.intervene import Intervention
from roicg.circuits.predict import METHODS
from roicg.core.errors import RoicgError
from roicg.rois.controls import singletons
from tests.lenses import make_lens, make_prompts
from tests.unit.circuits.test_predict import graph_of


def effect(change: float, se: float = 0.1) -> Effect:
    return Effect("task", 9, 1.0, 1.0 + change, change, se, 1.0, 1.0, 0.0)


def calibration(predicted: list[float], measured: list[float], task: str = "task") -> Calibration:
    sets = tuple(Intervention("ablate", (f"m0.r{i}",)) for i in range(len(predicted)))
    return Calibration(task, "flow", sets, tuple(predicted), tuple(effect(change) for change in measured))


def test_r2_is_not_refitted() -> None:
    """Broken on purpose: squared correlation for R², which is 1 in all four."""
    measured = [-4.0, -2.0, 0.0, 2.0]
    assert calibration(measured, measured).r2 == pytest.approx(1.0)
    assert calibration([-1.0] * 4, measured).r2 == pytest.approx(0.0)
    assert calibration([2 * x for x in measured], measured).r2 == pytest.approx(1 - 24 / 20)
    assert calibration([x + 1 for x in measured], measured).r2 == pytest.approx(1 - 4 / 20)
    assert calibration([1.0, 2.0], [3.0, 3.0]).r2 is None


def test_signs_count_where_the_change_is_clear() -> None:
    """Broken on purpose: all sets counted."""
    one = calibration([1.0, 1.0, -1.0, -1.0], [2.0, 0.19, -2.0, 0.21])
    assert (one.n_clear, one.sign) == (3, pytest.approx(2 / 3))
    assert calibration([1.0], [0.1]).sign is None


def test_sets_are_different_log_uniform_and_the_same_for_a_seed() -> None:
    """Broken on purpose: sizes drawn uniformly; ``tok`` among the keys."""
    partition = singletons(make_lens(d_mlp=40).sites)
    sets = random_sets(partition, 200, seed=3)
    assert sets == random_sets(partition, 200, seed=3) != random_sets(partition, 200, seed=4)
    assert len(set(sets)) == 200
    sizes = np.array([one.size for one in sets])
    assert sizes.min() == 1
    assert 38 <= sizes.max() <= 42  # half of 84
    assert 0.35 < np.mean(sizes <= 6) < 0.65  # half of them below the root of 42
    assert not {"tok", "logits"} & {key for one in sets for key in one.rois}
    with pytest.raises(RoicgError, match="has 4 ROIs to ablate, too few for 50 different sets; ask for fewer than 11"):
        random_sets(singletons(make_lens(d_mlp=0).sites), 50)


def test_a_calibration_has_every_method_for_every_task_over_the_same_sets() -> None:
    """Broken on purpose: predictions made on ``eval`` (the second task's splits differ, so its ceiling is below 1)."""
    lens, prompts = make_lens(2, scale=0.3), make_prompts(1, n=6)
    other = replace(make_prompts(2, n=6), eval=make_prompts(3, n=6).eval)
    graph = graph_of(lens, prompts)
    sets = random_sets(graph.partition, 12)
    found = calibrate(lens, graph, [prompts], sets)
    assert [one.method for one in found] == [*METHODS, CEILING]
    assert all(one.sets == sets and one.measured == found[0].measured for one in found)
    assert found[-1].r2 == pytest.approx(1.0)
    assert next(one for one in found if one.method == "integrated").r2 == pytest.approx(1.0, abs=1e-2)
    ceiling = calibrate(lens, graph, [other], sets, methods=("integrated",), steps=40)
    assert ceiling[1].r2 < 0.999
    assert ceiling[0].predicted == pytest.approx(ceiling[1].predicted, abs=1e-3)


def test_the_plot_is_one_file_with_every_set_and_escaped_labels() -> None:
    """Broken on purpose: a label not escaped."""
    ones = [calibration([-1.0, -2.0, 40.0], [-1.5, -2.5, 0.1], task) for task in ("add", "<b>&max")]
    text = calibration_svg(ones, "m@1 <script>")
    root = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    circles = root.findall(f".//{space}circle")
    assert len(circles) == 6
    assert root.find(f"{space}title").text == "m@1 <script>"  # type: ignore[union-attr]
    assert any("<b>&max: flow" in "".join(node.itertext()) for node in root.iter(f"{space}text"))
    assert "m0.r0: predicted -1, measured -1.5 ± 0.1" in [circle.find(f"{space}title").text for circle in circles]  # type: ignore[union-attr]
    assert all(0 <= float(circle.get("cx", "nan")) <= PANEL for circle in circles)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
