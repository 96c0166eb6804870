from collections.abc import Callable

import numpy as np
import pytest
import torch

from roicg.core.errors import PromptError
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.core.settings import RoiSettings
from roicg.models import columns
from roicg.models.columns import Columns, signature_columns
from roicg.models.forward import run
from roicg.models.layers import write_heads
from roicg.models.lens import Lens
from roicg.rois import signatures
from roicg.rois.signatures import activation_differences, activation_signatures, even_positions, within_positions

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
    literal = np.stack([run(lens, row[None]).post[0][0].numpy().T for row in tokens], axis=1)  # feature, example, position
    for some in (slice(0, 10), slice(10, 310)):
        literal[:, some] -= literal[:, some].mean(axis=1, keepdims=True)
    differences = activation_differences(lens, prompts, SETTINGS)["m0"]
    np.testing.assert_allclose(differences, literal.reshape(512, 930), atol=1e-5)
    spread = literal.std(axis=1, keepdims=True)
    literal /= np.maximum(spread, spread.max(axis=2, keepdims=True) / 2)
    np.testing.assert_allclose(found["m0"], literal.reshape(512, 930), atol=1e-5)


def test_steps_between_tasks_and_positions_are_taken_out_and_nothing_else() -> None:
    """Seen to fail with the mean over all positions taken."""
    position = torch.tensor([0, 1, 2, 0, 1, 2, 5])
    values = torch.tensor([[1.0, -2.0], [0.0, 4.0], [3.0, 3.0], [3.0, 2.0], [0.0, 5.0], [4.0, 3.0], [7.0, 7.0]])
    found = within_positions(values, position)
    expected = [[-1.0, -2.0], [0.0, -0.5], [-0.5, 0.0], [1.0, 2.0], [0.0, 0.5], [0.5, 0.0], [0.0, 0.0]]
    assert found.tolist() == expected
    steps = torch.tensor([100.0, -7.0, 0.5, 0.0, 0.0, 9.0])[position, None]
    torch.testing.assert_close(within_positions(values + steps, position), found, rtol=0, atol=1e-5)


def test_every_position_counts_alike_where_the_feature_varies_enough() -> None:
    """By hand: deviations 1 and 4 at two positions become 1/2 (a quarter of the largest counts as half of it) and 1; a constant row stays 0."""
    rows = np.array([[1.0, 4.0, -1.0, -4.0], [3.0, 3.0, -3.0, -3.0], [0.0, 0.0, 0.0, 0.0]])
    assert even_positions(rows, np.array([0, 1, 0, 1])).tolist() == [[0.5, 1.0, -0.5, -1.0], [1.0, 1.0, -1.0, -1.0], [0.0, 0.0, 0.0, 0.0]]


def test_what_hardly_varies_is_dead_before_it_is_scaled() -> None:
    """Seen to fail without ``live_features``, and with every difference kept: rounding became a feature as large as any other."""
    rng = np.random.default_rng(0)
    rows = np.stack([rng.standard_normal(40), 1e-4 * rng.standard_normal(40)])
    position = np.zeros(40, dtype=int)
    assert even_positions(rows, position).std(axis=1).tolist() == pytest.approx([1.0, 0.0], abs=0.1)
    constant = 3.0 + 1e-7 * torch.from_numpy(rng.standard_normal((40, 2))).float()
    assert not within_positions(constant, torch.from_numpy(position)).any()


def test_a_head_is_its_output_on_its_first_principal_direction(lens: Lens, modadd_prompts: Callable) -> None:
    prompts = modadd_prompts(0, n=20)
    found = activation_signatures(lens, [prompts], SETTINGS)["a0"]
    z = run(lens, torch.tensor([pair.clean for pair in prompts.rois.pairs])).z[0]
    for head in range(4):
        alone = torch.zeros_like(z)
        alone[:, :, head] = z[:, :, head]
        written = (write_heads(lens.attentions[0], alone) - lens.attentions[0].b_O).flatten(0, 1).double().numpy()
        for position in range(3):
            written[position::3] -= written[position::3].mean(axis=0)
        literal = np.linalg.svd(written, full_matrices=False)
        projected = literal.U[:, 0] * literal.S[0]
        projected *= np.sign(projected[np.abs(projected).argmax()])
        spread = projected.reshape(20, 3).std(axis=0)
        projected = (projected.reshape(20, 3) / np.maximum(spread, spread.max() / 2)).ravel()
        np.testing.assert_allclose(found[head], projected, atol=1e-4 * np.abs(projected).max())


def normalised(rows: np.ndarray, made_of: Columns) -> np.ndarray:
    """Mean 0 within task and position, then even positions, written out."""
    for task in range(len(made_of.tasks)):
        for position in range(3):
            here = (made_of.task == task) & (made_of.position == position)
            rows[:, here] -= rows[:, here].mean(axis=1, keepdims=True)
    spread = np.stack([rows[:, made_of.position == position].std(axis=1) for position in range(3)])
    return rows / np.maximum(spread, spread.max(axis=0) / 2)[made_of.position].T


def test_too_many_columns_are_a_fixed_subset_of_all(lens: Lens, modadd_prompts: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = [modadd_prompts(0, n=20, task="one"), modadd_prompts(1, n=30, task="two")]
    with monkeypatch.context() as raw:
        raw.setattr(signatures, "within_positions", lambda values, position: values)
        raw.setattr(signatures, "even_positions", lambda rows, position: rows)
        whole = activation_signatures(lens, prompts, SETTINGS)["m0"]
    monkeypatch.setattr(columns, "MAX_COLUMNS", 40)
    some = activation_signatures(lens, prompts, SETTINGS)["m0"]
    assert some.shape == (512, 40)
    made_of = signature_columns(prompts, SETTINGS.seed)
    assert len(made_of) == 40
    assert set(made_of.task.tolist()) == {0, 1}
    kept = np.concatenate([start + part for start, part in zip((0, 60), columns.kept_columns(prompts, SETTINGS.seed), strict=True)])
    tokens = [(token, position) for task in prompts for pair in task.rois.pairs for position, token in enumerate(pair.clean)]
    assert [tokens[column] for column in kept] == list(zip(made_of.token.tolist(), made_of.position.tolist(), strict=True))
    np.testing.assert_allclose(some, normalised(whole[:, kept].astype(np.float64), made_of), atol=1e-4)
    assert np.array_equal(some, activation_signatures(lens, prompts, SETTINGS)["m0"])


def test_a_task_without_columns_in_the_subset_is_no_crash(lens: Lens, modadd_prompts: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "MAX_COLUMNS", 3)
    prompts = [modadd_prompts(0, n=1, task="one"), modadd_prompts(1, n=100, task="two")]
    assert activation_signatures(lens, prompts, SETTINGS)["a0"].shape == (4, 3)


def test_no_prompts_are_refused(lens: Lens) -> None:
    nothing = TaskPrompts("add", "logit_difference", PromptSet("add", "rois", ()), PromptSet("add", "edges", ()), PromptSet("add", "eval", ()))
    with pytest.raises(PromptError, match="split rois"):
        activation_signatures(lens, [nothing], SETTINGS)
