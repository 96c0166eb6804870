"""Which models of a study are matched with which."""

from pathlib import Path

import pytest

from roicg.core.settings import load_study
from roicg.stages import _earlier_with_a_task_of

DEMO = Path(__file__).parents[2] / "pipelines" / "studies" / "demo.yaml"


@pytest.mark.parametrize(("model", "earlier"), [("multitask-s0", []), ("modadd113-s2", []), ("modadd113-s3", ["modadd113-s2"])])
def test_a_model_is_matched_with_every_earlier_one_that_shares_a_task(model: str, earlier: list[str]) -> None:
    """Seen to fail with the tasks left out of the question."""
    assert _earlier_with_a_task_of(load_study(DEMO), model) == earlier
