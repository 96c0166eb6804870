"""The function of an ROI is what ablating it does, task by task."""

from dataclasses import replace

import pytest

from roicg.circuits.effects import measure
from roicg.circuits.function import functions
from roicg.circuits.intervene import Intervention
from roicg.circuits.sets import ask, with_own_answers
from roicg.rois.controls import components, singletons
from tests.lenses import make_lens, make_prompts

N = 12


def test_a_function_is_what_the_intervention_takes() -> None:
    """Seen to fail with members counted from the first site on."""
    lens = make_lens()
    tasks = [with_own_answers(lens, replace(make_prompts(seed, n=N), task=f"task{seed}")) for seed in (0, 1)]
    asked = ask(lens, tasks, "eval", N)
    for partition in (components(lens.sites), singletons(lens.sites)):
        found = functions(asked, partition)
        assert set(found) == {roi.key for roi in partition.rois if roi.kind in ("attention", "mlp")}
        for key in list(found)[:: max(1, len(found) // 5)]:
            for t, task in enumerate(tasks):
                effect = measure(lens, partition, task, [Intervention("ablate", (key,))])[0]
                assert found[key][t] == pytest.approx((effect.before - effect.after) / (effect.before - asked.corrupted[t]), abs=1e-10)
