"""What attribution costs beside the bare model: run by ``make bench``; prints ratios and writes JSON, asserts no times.

Bare = the underlying module of the bridge without hooks, forward and backward to the input embedding only, same weights,
batch and dtype, in this process. The measured call ends with ROI edges and ``se`` of one task. CPU seconds, one thread,
rounds interleaved, the minimum of each.
"""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from roicg.attribution.edges import attribute_edges
from roicg.core.partition import Roi, RoiPartition
from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.models.extract import lens_from_bridge
from roicg.models.lens import Lens
from roicg.models.native import bridge_config
from roicg.models.native_config import native_config
from roicg.rois.controls import components

SHAPES = {
    "2L d64 B32xP32": {"n_layers": 2, "d_model": 64, "n_heads": 4, "d_head": 16, "d_mlp": 256},
    "4L d256 B32xP32": {"n_layers": 4, "d_model": 256, "n_heads": 8, "d_head": 32, "d_mlp": 1024},
}
BATCH, LENGTH, VOCAB, STEPS, ROUNDS, GROUPS = 32, 32, 512, 5, 5, 4
OUT = Path(os.environ.get("ROICG_HOME", ".roicg")) / "bench" / "attribution.json"


def bare_and_lens(shape: dict[str, int]) -> tuple[torch.nn.Module, Lens]:
    from transformer_lens.model_bridge.sources.native import boot

    config = bridge_config(native_config({**shape, "n_ctx": LENGTH, "d_vocab": VOCAB, "act_fn": "gelu", "normalization_type": "LN"}), seed=0)
    bridge = boot(config, device="cpu", dtype=torch.float32)
    for parameter in bridge.parameters():
        parameter.requires_grad_(False)
    return bridge.original_model, lens_from_bridge(bridge, "bench")


def grouped(lens: Lens) -> RoiPartition:
    """Heads one by one, each MLP in four ROIs."""
    rois = []
    for roi in components(lens.sites).rois:
        parts = [roi.members[i::GROUPS] for i in range(GROUPS)] if roi.kind == "mlp" else []
        rois += [Roi(f"{roi.key}.r{i}", roi.site, roi.layer, roi.kind, part) for i, part in enumerate(parts)] or [roi]
    return RoiPartition("own", lens.sites, tuple(rois))


def questions() -> TaskPrompts:
    g = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, VOCAB, (BATCH, 2, LENGTH), generator=g).tolist()
    pairs = tuple(PromptPair(str(i), tuple(clean), tuple(corrupted), (LENGTH - 1,), ((1,),), ((2,),)) for i, (clean, corrupted) in enumerate(tokens))
    return TaskPrompts("bench", "logit_difference", PromptSet("bench", "rois", ()), PromptSet("bench", "edges", pairs), PromptSet("bench", "eval", ()))


def bare_call(module: torch.nn.Module, tokens: torch.Tensor) -> Callable[[], object]:
    """Forward and backward to the token embedding of the module itself."""
    kept: list[torch.Tensor] = []
    embedding = next(m for m in module.modules() if isinstance(m, torch.nn.Embedding) and m.weight.shape[0] == VOCAB)

    def leaf(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        kept[:] = [output.detach().requires_grad_()]
        return kept[0]

    embedding.register_forward_hook(leaf)

    def call() -> object:
        for _ in range(STEPS):
            logits = module(tokens)
            logits = logits if isinstance(logits, torch.Tensor) else logits.logits
            torch.autograd.grad((logits[:, -1, 1] - logits[:, -1, 2]).mean(), kept[0])
        return None

    return call


def seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_inputs_beside_bare(name: str) -> None:
    torch.set_num_threads(1)
    module, lens = bare_and_lens(SHAPES[name])
    prompts, partition = questions(), grouped(lens)
    bare = bare_call(module, torch.tensor([pair.clean for pair in prompts.edges.pairs]))
    settings = AttributionSettings(path="inputs", rule="left", steps=STEPS)

    def measured() -> object:
        return attribute_edges(lens, [prompts], {"own": partition}, settings)

    bare()
    measured()
    rounds = [(seconds(bare), seconds(measured)) for _ in range(ROUNDS)]
    base, ours = (min(column) for column in zip(*rounds, strict=True))
    print(
        f"\n{name}: inputs m={STEPS} takes {ours:.3f} s, {STEPS} x bare forward + backward {base:.3f} s: ratio {ours / base:.2f} (CPU seconds, one thread, min of {ROUNDS})"
    )
    known = json.loads(OUT.read_text()) if OUT.exists() else {}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({**known, name: {"bare_s": base, "inputs_s": ours, "ratio": ours / base, "rounds": rounds}}, indent=1))
    assert base > 0
    assert ours > 0
