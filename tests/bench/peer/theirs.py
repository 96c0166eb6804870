"""The peer's process: ``PYTHONPATH=EAP-IG/src .venv-peer/bin/python -m tests.bench.peer.theirs JOB`` writes JOB/answer.json.

JOB holds tensors.safetensors (weights of ``Plain``, tokens ``clean`` and ``corrupted`` [B, P]) and job.json (what is asked, heads,
rounds). Imports torch, TransformerLens 2 and the package, nothing of roicg. Two things of the package are replaced at run time, for
it to run at all: its tokenizer call (the prompts are tokens) and the device it names ('cuda'). The repairs are variants of their own.
"""

import argparse
import importlib.metadata
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace

import torch
import transformer_lens.components.abstract_attention as tl_attention
from eap import attribute as package
from eap.graph import Graph
from safetensors.torch import load_file
from torch import Tensor
from transformer_lens import HookedTransformer, HookedTransformerConfig

from tests.bench.memory import resident
from tests.bench.peer.plain import STEPS, Plain, bound_call, logit_difference, n_layers
from tests.bench.timing import Call, fastest


def hooked(weights: Mapping[str, Tensor], heads: int) -> HookedTransformer:
    """The weights of ``Plain`` as TransformerLens 2 holds them, with the settings that the package asks for."""
    vocab, width = weights["tok_embed.weight"].shape
    config = HookedTransformerConfig(
        n_layers=n_layers(weights),
        d_model=width,
        n_heads=heads,
        d_head=width // heads,
        d_mlp=weights["layers.0.mlp.fc_in.weight"].shape[0],
        n_ctx=weights["pos.weight"].shape[0],
        d_vocab=vocab,
        act_fn="gelu",
        normalization_type="LN",
        device="cpu",
    )
    model = HookedTransformer(config)
    model.load_state_dict({**model.state_dict(), **renamed(weights, heads)})
    model.cfg.use_attn_result = model.cfg.use_split_qkv_input = model.cfg.use_hook_mlp_in = True
    return model


def renamed(weights: Mapping[str, Tensor], heads: int) -> dict[str, Tensor]:
    """Names and layouts of TransformerLens 2: W_Q, W_K, W_V [H, D, E], W_O [H, E, D], W_in [D, N], W_out [N, D], W_U [D, vocab]."""
    found = {"embed.W_E": weights["tok_embed.weight"], "pos_embed.W_pos": weights["pos.weight"], "unembed.W_U": weights["head.weight"].T}
    found |= {"ln_final.w": weights["ln_out.weight"], "ln_final.b": weights["ln_out.bias"]}
    for layer in range(n_layers(weights)):
        old, new = f"layers.{layer}", f"blocks.{layer}"
        for letter in "qkv":
            found[f"{new}.attn.W_{letter.upper()}"] = weights[f"{old}.attn.{letter}.weight"].unflatten(0, (heads, -1)).mT
            found[f"{new}.attn.b_{letter.upper()}"] = weights[f"{old}.attn.{letter}.bias"].unflatten(0, (heads, -1))
        found[f"{new}.attn.W_O"] = weights[f"{old}.attn.o.weight"].T.unflatten(0, (heads, -1))
        found[f"{new}.attn.b_O"] = weights[f"{old}.attn.o.bias"]
        for name, kept in (("in", "fc_in"), ("out", "fc_out")):
            found[f"{new}.mlp.W_{name}"] = weights[f"{old}.mlp.{kept}.weight"].T
            found[f"{new}.mlp.b_{name}"] = weights[f"{old}.mlp.{kept}.bias"]
        for norm in ("ln1", "ln2"):
            found |= {f"{new}.{norm}.w": weights[f"{old}.{norm}.weight"], f"{new}.{norm}.b": weights[f"{old}.{norm}.bias"]}
    return found


class OnCpu:
    """torch, but ``zeros`` on a 'cuda' device is on the CPU: the package names that device in its code."""

    def __getattr__(self, name: str) -> object:
        return getattr(torch, name)

    @staticmethod
    def zeros(*size: object, device: object = None, **options: object) -> Tensor:
        return torch.zeros(*size, device="cpu" if device == "cuda" else device, **options)


def take_tokens() -> None:
    """Let the package run on a CPU and take token rows [B, P] where it takes strings."""

    def tokenize_plus(model: HookedTransformer, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, int]:
        mask = torch.ones_like(rows)
        return rows, mask, mask.sum(1), rows.shape[1]

    package.torch, package.tokenize_plus = OnCpu(), tokenize_plus


def package_call(model: HookedTransformer, graph: Graph, clean: Tensor, corrupted: Tensor) -> Call:
    """The package's EAP-IG-inputs over one batch, as its README calls it; its metric is a loss."""

    def loss(logits: Tensor, clean_logits: Tensor, lengths: Tensor, labels: Tensor) -> Tensor:
        return -logit_difference(logits)

    loader = [(clean, corrupted, torch.zeros(len(clean), 2))]
    return lambda: package.attribute(model, graph, loader, loss, method="EAP-IG-inputs", ig_steps=STEPS, quiet=True)


@contextmanager
def einsum_projections() -> Iterator[None]:
    """Repair: q, k and v of inputs [B, P, H, D] by one einsum instead of TransformerLens' broadcast product [B, P, H, D, E] and its sum."""

    def linear(stream: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.einsum("bphd,hde->bphe", stream, weight) + bias

    theirs, tl_attention.complex_attn_linear = tl_attention.complex_attn_linear, linear
    try:
        yield
    finally:
        tl_attention.complex_attn_linear = theirs


@contextmanager
def frozen(model: HookedTransformer) -> Iterator[None]:
    """Repair: no parameter gradients, which the package lets TransformerLens compute and never reads."""
    model.requires_grad_(False)
    try:
        yield
    finally:
        model.requires_grad_(True)


def speed(job: SimpleNamespace) -> dict[str, object]:
    """CPU seconds of the bound and of the package, as it is and repaired, and the scores of each by edge name."""
    bound, call = bound_call(job.plain, job.clean), package_call(job.model, job.graph, job.clean, job.corrupted)
    kept: dict[str, Tensor] = {}

    def variant(name: str, *repairs: Callable[[], AbstractContextManager[None]]) -> Call:
        def run() -> None:
            with ExitStack() as stack:
                for repair in repairs:
                    stack.enter_context(repair())
                call()
            kept[name] = job.graph.scores.clone()

        return run

    def freeze() -> AbstractContextManager[None]:
        return frozen(job.model)

    variants = {
        "package": variant("package"),
        "repaired": variant("repaired", einsum_projections),
        "frozen": variant("frozen", freeze),
        "both": variant("both", einsum_projections, freeze),
    }
    first, second, *took = fastest([bound, bound, *variants.values()], job.rounds)
    scores = {name: named(job.graph, matrix) for name, matrix in kept.items()}
    return {"bound": min(first, second), **dict(zip(variants, took, strict=True)), "scores": scores}


def named(graph: Graph, scores: Tensor) -> dict[str, float]:
    """The score matrix [sources, targets] by edge name, such as ``a0.h1->a1.h0<q>``."""
    graph.scores[:] = scores
    return {name: float(edge.score) for name, edge in graph.edges.items()}


def memory(job: SimpleNamespace) -> dict[str, object]:
    """MiB that one call of the package adds to the process, as tests/bench/memory.py measures ours."""
    torch.set_num_threads(1)
    package_call(job.model, job.graph, job.clean[:1, :4], job.corrupted[:1, :4])()
    call = package_call(job.model, job.graph, job.clean, job.corrupted)
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
    call()
    return {"growth": resident("VmHWM") - before}


def read_job(folder: Path) -> SimpleNamespace:
    """What is asked, on the models and tokens of the job; the two models' logits are checked to be equal."""
    asked, tensors = json.loads((folder / "job.json").read_text()), load_file(folder / "tensors.safetensors")
    clean, corrupted = tensors.pop("clean"), tensors.pop("corrupted")
    plain, model = Plain(tensors, asked["heads"]), hooked(tensors, asked["heads"])
    with torch.no_grad():
        few = clean[:2]
        torch.testing.assert_close(plain(plain.tok_embed.weight[few]), model(few), rtol=1e-4, atol=1e-4)
    return SimpleNamespace(
        what=asked["what"], rounds=asked["rounds"], clean=clean, corrupted=corrupted, plain=plain, model=model, graph=Graph.from_model(model)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", type=Path)
    folder = parser.parse_args().job
    take_tokens()
    job = read_job(folder)
    answer = {"speed": speed, "memory": memory}[job.what](job)
    versions = {"torch": torch.__version__, "TransformerLens": importlib.metadata.version("transformer-lens")}
    (folder / "answer.json").write_text(json.dumps({**answer, "versions": versions}))


if __name__ == "__main__":
    main()
