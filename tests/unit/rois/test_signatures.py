from collections.abc import Callable

import numpy as np
import pytest
import torch

from roicg.core.errors import PromptError
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.core.settings import RoiSettings
from roicg.models import columns
from roicg.models.columns import signature_columns
from roicg.models.forward import run, write_heads
from roicg.models.lens import Lens
from roicg.rois.signatures import activation_signatures

SETTINGS = RoiSettings()


@pytest.fixture
def lens(modadd_lens: Callable[[str], Lens]) -> Lens:
    return modadd_lens("seed2")


def test_columns_are_examples_times_positions_of_every_task_in_order(lens: Lens, modadd_prompts: Callable) -> None:
    prompts = [modadd_prompts(0, n=10, task="one"), modadd_prompts(1, n=300, task="two")]
    found = activation_signatures(lens, prompts, SETTINGS)
    assert set(found) == {"a0", "m0"}
    assert found["m0"].shape == (512, 930)
    assert found["a0"].shape == (4, 930)
    made_of = signature_columns(prompts, SETTINGS.seed)
    assert made_of.tasks == ("one", "two")
    assert made_of.task.tolist() == [0] * 30 + [1] * 900
    assert made_of.position.tolist() == [0, 1, 2] * 310
    assert made_of.token.tolist() == [token for task in prompts for pair in task.rois.pairs for token in pair.clean]
    tokens = torch.tensor([pair.clean for task in prompts for pair in task.rois.pairs])
    literal = np.stack([run(lens, row[None]).post[0][0, position].numpy() for row in tokens for position in range(3)], axis=1)
    np.testing.assert_allclose(found["m0"], literal, atol=1e-5)


def test_a_head_is_its_output_on_its_first_principal_direction(lens: Lens, modadd_prompts: Callable) -> None:
    prompts = modadd_prompts(0, n=20)
    found = activation_signatures(lens, [prompts], SETTINGS)["a0"]
    z = run(lens, torch.tensor([pair.clean for pair in prompts.rois.pairs])).z[0]
    for head in range(4):
        alone = torch.zeros_like(z)
        alone[:, :, head] = z[:, :, head]
        written = (write_heads(lens.attentions[0], alone) - lens.attentions[0].b_O).flatten(0, 1).double().numpy()
        written -= written.mean(axis=0)
        literal = np.linalg.svd(written, full_matrices=False)
        projected = literal.U[:, 0] * literal.S[0]
        projected *= np.sign(projected[np.abs(projected).argmax()])
        np.testing.assert_allclose(found[head], projected, atol=1e-4 * np.abs(projected).max())


def test_too_many_columns_are_a_fixed_subset_of_all(lens: Lens, modadd_prompts: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [modadd_prompts(0, n=20, task="one"), modadd_prompts(1, n=30, task="two")]
    whole = activation_signatures(lens, prompts, SETTINGS)["m0"]
    monkeypatch.setattr(columns, "MAX_COLUMNS", 40)
    some = activation_signatures(lens, prompts, SETTINGS)["m0"]
    assert some.shape == (512, 40)
    made_of = signature_columns(prompts, SETTINGS.seed)
    assert len(made_of) == 40
    assert set(made_of.task.tolist()) == {0, 1}
    places = [int(np.abs(whole - column[:, None]).max(axis=0).argmin()) for column in some.T]
    tokens = [(token, position) for task in prompts for pair in task.rois.pairs for position, token in enumerate(pair.clean)]
    assert [tokens[place] for place in places] == list(zip(made_of.token.tolist(), made_of.position.tolist(), strict=True))
    np.testing.assert_allclose(whole[:, places], some, atol=1e-5)
    assert np.array_equal(some, activation_signatures(lens, prompts, SETTINGS)["m0"])


def test_a_task_without_columns_in_the_subset_is_no_crash(lens: Lens, modadd_prompts: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_COLUMNS", 3)
    prompts = [modadd_prompts(0, n=1, task="one"), modadd_prompts(1, n=100, task="two")]
    assert activation_signatures(lens, prompts, SETTINGS)["a0"].shape == (4, 3)


def test_no_prompts_are_refused(lens: Lens) -> None:
    nothing = TaskPrompts("add", "logit_difference", PromptSet("add", "rois", ()), PromptSet("add", "edges", ()), PromptSet("add", "eval", ()))
    with pytest.raises(PromptError, match="split rois"):
        activation_signatures(lens, [nothing], SETTINGS)
