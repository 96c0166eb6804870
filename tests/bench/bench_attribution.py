"""What attribution costs beside the bare model: ratios of CPU seconds in one process, one thread; asserts no times.

Bare = the underlying module of the bridge without hooks, forward and backward to the input embedding only, same weights,
batch and dtype. The measured call ends with ROI edges and ``se`` of one task (neuron edges: with their sums and squares).
"""

import math
from dataclasses import replace

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from roicg.attribution.edges import attribute_edges, attribute_task
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.core.settings import AttributionSettings
from roicg.core.sites import port_groups
from roicg.models.lens import Lens
from roicg.rois.controls import singletons
from tests.bench.figures import Figure, keep
from tests.bench.memory import peak_growth
from tests.bench.shapes import LARGE, SMALL, STEPS, bare_and_lens, bare_call, grouped, questions, shape, sizes
from tests.bench.timing import Call, fastest

INPUTS = AttributionSettings(path="inputs", rule="left", steps=STEPS)
PORTS = AttributionSettings(steps=STEPS, max_steps=STEPS)
COMMAND = "make bench ARGS=tests/bench/bench_attribution.py"


def edges_call(lens: Lens, prompts, settings: AttributionSettings, parts: int = 4) -> Call:
    """The measured call: ROI edges and ``se`` of one task."""
    partition = grouped(lens, parts)
    return lambda: attribute_edges(lens, [prompts], {"own": partition}, settings)


def layers_above(module: torch.nn.Module, lens: Lens, prompts) -> dict[str, Call]:
    """Per port group m × forward + backward of the bare layers above it: the block's own attention and MLP, then the later blocks, then the logits."""
    tokens = torch.tensor([pair.clean for pair in prompts.edges.pairs])
    start = module.tok_embed(tokens)  # any stream of this size costs the same

    def call_from(layer: int, port: str) -> Call:
        def call() -> None:
            for _ in range(STEPS):
                stream = leaf = start.clone().requires_grad_()
                if port == "in" and layer < lens.n_layers:
                    stream = stream + module.layers[layer].mlp(module.layers[layer].ln2(stream))
                for block in list(module.layers)[layer + (port == "in") :]:
                    (stream,) = block(stream)
                logits = module.head(module.ln_out(stream))
                torch.autograd.grad((logits[:, -1, 1] - logits[:, -1, 2]).mean(), leaf)

        return call

    groups = port_groups(lens.sites)
    return {g.key: call_from(lens.n_layers if g.site.layer is None else g.site.layer, g.port) for g in groups}


def matrix_flops(call: Call) -> int:
    """Floating-point operations of the matrix products of one call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def answered_everywhere(prompts: TaskPrompts) -> TaskPrompts:
    """The same question asked at every position."""

    def whole(split: PromptSet) -> PromptSet:
        count = len(split.pairs[0].clean)
        pairs = (replace(p, positions=tuple(range(count)), answers=p.answers * count, wrong_answers=p.wrong_answers * count) for p in split.pairs)
        return replace(split, pairs=tuple(pairs))

    return replace(prompts, rois=whole(prompts.rois), edges=whole(prompts.edges), eval=whole(prompts.eval))


def slope(xs: list[float], seconds: list[float]) -> float:
    """Fitted exponent of cost against size."""
    return float(np.polyfit(np.log(xs), np.log(seconds), 1)[0])


def exponents() -> list[Figure]:
    """Cost of ``inputs`` against layers, width, batch, positions and ROIs, beside the exponent of the bare model in the same rounds."""
    sweeps = {
        "layers": ([2, 4, 8], lambda n: (sizes(n, 128, 4), 32, 32, 4)),
        "width": ([64, 128, 256], lambda n: (sizes(2, n, 4), 32, 32, 4)),
        "batch": ([16, 32, 64], lambda n: (sizes(2, 128, 4), n, 32, 4)),
        "positions": ([16, 32, 64], lambda n: (sizes(2, 128, 4), 32, n, 4)),
        "ROIs": ([2, 8, 32], lambda n: (sizes(2, 128, 4), 32, 32, n)),
    }
    figures = []
    for name, (values, of) in sweeps.items():
        calls: list[Call] = []
        for value in values:
            config, batch, length, parts = of(value)
            (module, lens), prompts = bare_and_lens(config, length), questions(batch, length)
            calls += [bare_call(module, prompts), edges_call(lens, prompts, INPUTS, parts)]
            calls += [edges_call(lens, answered_everywhere(prompts), INPUTS, parts)] if name == "layers" else []
        took = fastest(calls, rounds=3)
        sizes_ = [2 * value * 2 + 5 if name == "ROIs" else value for value in values]
        every = len(calls) // len(values)
        bare, ours = slope(sizes_, took[0::every]), slope(sizes_, took[1::every])
        figures.append(
            Figure(f"`inputs`: exponent of cost in {name}", ours, max(bare, 0.0) + 0.1, note=f"bare model {bare:.2f}; fitted over {values}, tolerance .1")
        )
        if name == "layers":
            whole = "no layer is cut down to the answer positions; the rest is pairs of ROIs, whose number grows with the square of the depth"
            figures.append(Figure("the same with answers at every position", slope(sizes_, took[2::3]), note=whole))
    return figures


def test_speed() -> None:
    figures = []
    for name, goal in ((SMALL, 1.5), (LARGE, 1.3)):
        (module, lens), prompts = bare_and_lens(shape(name)), questions()
        bare, ours = fastest([bare_call(module, prompts), edges_call(lens, prompts, INPUTS)], rounds=15)
        figures.append(Figure(f"`inputs` m = {STEPS} / {STEPS} × bare forward + backward, {name}", ours / bare, goal, note=f"{ours:.3f} s / {bare:.3f} s"))
    for name in (SMALL, LARGE):
        (module, lens), prompts = bare_and_lens(shape(name)), questions()
        ours, *above = fastest([edges_call(lens, prompts, PORTS), *layers_above(module, lens, prompts).values()], rounds=3)
        figures.append(
            Figure(f"`ports` m = {STEPS} / Σ over port groups of m × layers above, {name}", ours / sum(above), 1.3, note=f"{ours:.3f} s / {sum(above):.3f} s")
        )
    for name in (SMALL, LARGE):
        bare, ours = (peak_growth(name, what) for what in ("bare", "inputs"))
        figures.append(
            Figure(f"peak memory growth of `inputs` / bare, {name}", ours / bare, 2.0, note=f"{ours:.0f} MiB / {bare:.0f} MiB, a fresh process each")
        )
    (module, lens), prompts = bare_and_lens(shape(LARGE)), questions()
    partition = singletons(lens.sites)
    calls = [bare_call(module, prompts), lambda: attribute_task(lens, prompts, {"singletons": partition}, INPUTS)]
    bare, ours = fastest(calls, rounds=5)
    products = [matrix_flops(call) for call in calls]
    count = sum(edges.mean.size for _, block, _ in attribute_task(lens, prompts, {"singletons": partition}, INPUTS) for edges in block.sums.values())
    figures.append(
        Figure(
            f"all {count / 1e6:.1f} M edges between single neurons and heads, `inputs` / {STEPS} × bare, {LARGE}",
            ours / bare,
            3.0,
            note=f"{ours:.2f} s / {bare:.2f} s",
        )
    )
    rest = "what is over that is each example's weights formed and added to three sums, at the speed of the caches"
    figures.append(
        Figure("the same in operations of matrix products", products[1] / products[0], note=f"{products[1] / 1e9:.0f} / {products[0] / 1e9:.0f} GFLOP; {rest}")
    )
    keep("speed", [*figures, *exponents()], COMMAND)
    assert all(math.isfinite(figure.value) and figure.value > 0 for figure in figures)
