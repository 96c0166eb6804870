"""``make bench-peer PEER=/path/to/EAP-IG``: the speed of path ``inputs`` beside the published EAP-IG package, as a ratio of ratios.

Either side is CPU seconds over those of one bound (``plain.py``: 5 × forward + backward of plain torch, same weights, tokens and
batch) measured in its own process on one thread; a figure is the peer's ratio over ours. The peer runs in ``.venv-peer``, made
here from requirements.txt and the torch that roicg runs on; its source stays where PEER says.
"""

import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from safetensors.torch import save_file

from roicg.attribution.edges import attribute_edges
from roicg.core.prompts import TaskPrompts
from roicg.models.lens import Lens
from roicg.rois.controls import components
from tests.bench.bench_attribution import INPUTS, edges_call
from tests.bench.figures import Figure, keep
from tests.bench.memory import peak_growth
from tests.bench.peer.plain import STEPS, Plain, bound_call
from tests.bench.shapes import LARGE, SMALL, bare_and_lens, bare_call, questions, shape
from tests.bench.timing import fastest

ROOT = Path(__file__).parents[3]
VENV = ROOT / ".venv-peer"
NEEDS = Path(__file__).with_name("requirements.txt")
COMMAND = "make bench-peer PEER=/path/to/EAP-IG"
ROUNDS = {SMALL: (30, 7), LARGE: (7, 2)}  # ours, theirs; one round of theirs at the large shape takes minutes
VARIANTS = {
    "package": "the package",
    "repaired": "the package, TransformerLens' q/k/v projections repaired to einsum by us",
    "frozen": "the package, parameter gradients switched off by us",
    "both": "the package, both repairs",
}
GOALS = {SMALL: {"package": 7.0}, LARGE: {"package": 30.0, "repaired": 10.0}}
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


def refusal(peer: str) -> str:
    """Why ``peer`` cannot be measured, in one line; empty if it can."""
    if not peer:
        return f"PEER is not set: clone the EAP-IG package (hannamw/EAP-IG) and run `{COMMAND}`"
    if not (Path(peer) / "src" / "eap" / "attribute.py").is_file():
        return f"PEER={peer} does not hold the EAP-IG package (no src/eap/attribute.py): clone hannamw/EAP-IG and run `{COMMAND}`"
    return ""


def set_up() -> Path:
    """``.venv-peer`` with what requirements.txt pins, made anew when that or torch changed; returns its Python."""
    torch_here = f"torch=={importlib.metadata.version('torch')}"
    stamp, python = VENV / "roicg.stamp", VENV / "bin" / "python"
    wanted = hashlib.sha256(NEEDS.read_bytes() + f"{torch_here} {VENV}".encode()).hexdigest()
    if not (stamp.is_file() and stamp.read_text() == wanted):
        print(f"Setting up {VENV.name} (once; torch is most of it) …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile", "--quiet", "-r", NEEDS, torch_here], check=True)
        stamp.write_text(wanted)
    return python


def ask(peer: str, what: str, name: str) -> dict[str, Any]:
    """The peer's answer from a fresh process: ``what`` is ``speed`` or ``memory``."""
    print(f"  the package's {what}, {name} …", flush=True)
    plain, _, _, prompts = models(name)
    pairs = prompts.edges.pairs
    tokens = {"clean": torch.tensor([pair.clean for pair in pairs]), "corrupted": torch.tensor([pair.corrupted for pair in pairs])}
    with TemporaryDirectory() as folder:
        job = Path(folder)
        save_file({**{key: value.contiguous() for key, value in plain.state_dict().items()}, **tokens}, job / "tensors.safetensors")
        (job / "job.json").write_text(json.dumps({"what": what, "heads": shape(name)["n_heads"], "rounds": ROUNDS[name][1]}))
        command = [set_up(), "-m", "tests.bench.peer.theirs", job]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **ONE_THREAD, "PYTHONPATH": str(Path(peer).resolve() / "src")}, capture_output=True, text=True
        )
        if done.returncode:
            sys.exit(f"the peer's process failed:\n{done.stderr}")
        return json.loads((job / "answer.json").read_text())


def models(name: str) -> tuple[Plain, torch.nn.Module, Lens, TaskPrompts]:
    """Our side: the bound, the module TransformerLens 4 wraps (same weights, same logits), the lens, the prompts."""
    (module, lens), prompts = bare_and_lens(shape(name)), questions()
    plain = Plain(module.state_dict(), shape(name)["n_heads"])
    tokens = torch.tensor([pair.clean for pair in prompts.edges.pairs])
    torch.testing.assert_close(plain(plain.tok_embed.weight[tokens]), module(tokens), rtol=1e-4, atol=1e-4)
    return plain, module, lens, prompts


def ours(name: str) -> tuple[float, float, float]:
    """CPU seconds of the bound, of the module TransformerLens 4 wraps, of our measured call."""
    plain, module, lens, prompts = models(name)
    tokens = torch.tensor([pair.clean for pair in prompts.edges.pairs])
    bound, wrapped, call = fastest([bound_call(plain, tokens), bare_call(module, prompts), edges_call(lens, prompts, INPUTS)], ROUNDS[name][0])
    return bound, wrapped, call


def our_scores(name: str) -> dict[str, float]:
    """Our edges between components by the package's names; its scores are divided once more by the number of examples, so are these."""
    _, _, lens, prompts = models(name)
    found = attribute_edges(lens, [prompts], {"components": components(lens.sites)}, INPUTS)["components"]
    keys = ["input" if roi.key == "tok" else roi.key for roi in found.partition.rois]
    edges = zip(found.edges.source, found.edges.target, found.edges.port, found.edges.weight[0], strict=True)
    return {f"{keys[u]}->{keys[v]}{'' if port == 'in' else f'<{port}>'}": float(weight) / len(prompts.edges.pairs) for u, v, port, weight in edges}


def apart(name: str, theirs: dict[str, float]) -> float:
    """Largest difference of the package's scores from ours, over its largest score."""
    mine = our_scores(name)
    if set(mine) != set(theirs):
        sys.exit(f"the two sides' edges differ: {sorted(set(mine) ^ set(theirs))[:5]}")
    return max(abs(mine[edge] - score) for edge, score in theirs.items()) / max(abs(score) for score in theirs.values())


def speed_figures(peer: str, name: str) -> list[Figure]:
    """Ratios of ratios of one shape, the package as it is and repaired; then two controls: the bounds and the scores."""
    bound, wrapped, call = ours(name)
    theirs = ask(peer, "speed", name)
    mine, figures = call / bound, []
    for which, what in VARIANTS.items():
        beside = f"{theirs[which] / theirs['bound']:.3g} × bound ({theirs[which]:.3g} s / {theirs['bound']:.3g} s)"
        note = f"package {beside}, `inputs` {mine:.3g} × bound ({call:.3g} s / {bound:.3g} s)"
        value = theirs[which] / theirs["bound"] / mine
        figures.append(Figure(f"EAP-IG-inputs of {what} / `inputs`, m = {STEPS}, {name}", value, GOALS[name].get(which), at_most=False, note=note))
    note = f"{versions(peer, theirs['versions'])}; the bound takes {theirs['bound'] / bound:.2f} × as long there"
    figures.append(Figure(f"control: plain-torch bound / bare module of the table `speed`, {name}", bound / wrapped, note=note))
    gap = max(apart(name, theirs["scores"][which]) for which in VARIANTS)
    if gap > 1e-3:
        sys.exit(f"the two sides' scores differ by {gap:.2g} of the largest: they do not compute the same thing")
    edges = len(theirs["scores"]["package"])
    note = f"{edges} edges, float32, all variants; float64 to 1e-9: tests/unit/attribution/test_golden.py"
    return [*figures, Figure(f"control: largest difference of scores / largest score, {name}", gap, note=note)]


def versions(peer: str, theirs: dict[str, str]) -> str:
    """The package's version and commit, and what either process runs on."""
    version = tomllib.loads((Path(peer) / "pyproject.toml").read_text())["project"]["version"]
    commit = subprocess.run(["git", "-C", peer, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip() or "no commit"
    return f"package {version} ({commit}) on TransformerLens {theirs['TransformerLens']}, torch {theirs['torch']}; ours on torch {torch.__version__}"


def memory_figure(peer: str, name: str) -> Figure:
    """Peak memory growth of the package over ours, a fresh process each; nothing was promised."""
    theirs, mine = ask(peer, "memory", name)["growth"], peak_growth(name, "inputs")
    return Figure(f"peak memory growth of the package / `inputs`, {name}", theirs / mine, note=f"{theirs:.0f} MiB / {mine:.0f} MiB, a fresh process each")


def main(peer: str) -> None:
    """Measure both sides and keep the table ``peer``."""
    if why := refusal(peer):
        sys.exit(why)
    set_up()
    speed = [figure for name in GOALS for figure in speed_figures(peer, name)]
    keep("peer", [*speed, *(memory_figure(peer, name) for name in GOALS)], COMMAND)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
