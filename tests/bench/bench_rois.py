"""Do ROIs earn their name? Groups that are known: Fourier frequencies of models of addition, modules of stitched models, and none at all."""

import statistics
from collections.abc import Callable
from dataclasses import replace
from time import process_time

import numpy as np
import torch

from roicg.attribution.nodes import attribution_signatures, example_scores
from roicg.core.partition import RoiPartition
from roicg.core.settings import RoiSettings
from roicg.models.lens import Lens
from roicg.numerics.agreement import adjusted_rand
from roicg.rois.methods import METHODS
from roicg.rois.partition import live_features, own_partition
from roicg.rois.signatures import activation_signatures
from tests.bench.addition import ARTIFACTS, Adder, adders, initial
from tests.bench.figures import Figure, keep
from tests.stitched import PARTS, noisy_signatures, raw_activations, stitched_model

DEFAULT = RoiSettings()
QUICK = RoiSettings(null_draws=2)
DRAWS = range(5)
SEEDS = range(20)
FEW = 6
COMMAND = "make bench ARGS=tests/bench/bench_rois.py"


def grouped(lens: Lens, signature: np.ndarray, settings: RoiSettings = DEFAULT, site: str = "m0") -> RoiPartition:
    return own_partition(tuple(one for one in lens.sites if one.key == site), {site: signature}, settings)


def found(model: Adder, partition: RoiPartition) -> float:
    """ARI of the ROIs with the frequency, over the labelled neurons."""
    return adjusted_rand(partition.labels("m0")[model.labelled], model.frequency[model.labelled])


def worth(partition: RoiPartition, site: str = "m0") -> str:
    quality = partition.quality[site]
    above = "above its nulls" if quality.above_null else "not above its nulls"
    return f"{quality.n_rois} ROIs, {above} (z {min(quality.z_rotation, quality.z_shuffle):.1f}), stability {quality.stability:.2f}"


def test_known_groups() -> None:
    figures = [*_frequencies(), *_levels(), *_modules(), *_nothing()]
    keep("rois", figures, COMMAND)
    assert all(np.isfinite(figure.value) for figure in figures)


def _frequencies() -> list[Figure]:
    """The one default on every model, on five draws of 256 prompts."""
    figures = []
    for model in adders():
        scores, partitions = [], []
        for seed in DRAWS:
            partitions.append(grouped(model.lens, activation_signatures(model.lens, model.prompts(seed=seed), DEFAULT)["m0"], QUICK if seed else DEFAULT))
            scores.append(found(model, partitions[-1]))
        frequencies, counts = np.unique(model.frequency[model.labelled], return_counts=True)
        named = ", ".join(f"{frequency} ({count})" for frequency, count in zip(frequencies, counts, strict=True))
        known = f"{model.labelled.sum()} of {len(model.labelled)} neurons labelled, frequencies {named}"
        note = f"least of {len(scores)} draws, mean {statistics.mean(scores):.3f}; {known}; accuracy {model.accuracy:.4f}; {worth(partitions[0])}"
        figures.append(Figure(f"default, {model.name}: ARI with the frequency", min(scores), 0.95, at_most=False, note=note))
    return figures


def _levels() -> list[Figure]:
    """What ``fine`` finds, and whether it respects the frequencies."""
    figures = []
    for model in adders():
        for n in (256, 2000):
            signature = activation_signatures(model.lens, model.prompts(n), DEFAULT)["m0"]
            partition = grouped(model.lens, signature, RoiSettings(level="fine"))
            labels = partition.labels("m0")[model.labelled]
            pure = sum(int(np.bincount(model.frequency[model.labelled][labels == group]).max()) for group in np.unique(labels)) / len(labels)
            sizes = ", ".join(str(roi.size) for roi in partition.rois)
            figures.append(
                Figure(f"level fine, {model.name}, {n} prompts: neurons in a group of their own frequency", pure, note=f"{worth(partition)}; sizes {sizes}")
            )
    return figures


def _modules() -> list[Figure]:
    """Stitched models: the least ARI of their MLP sites, over the features that vary; activations as they are beside it, and noise."""
    figures = []
    for which, steps in (("multitask", 0), ("multitask", 100), ("multitask", 300), ("modadd", 0), ("modadd", 100), ("modadd", 400)):
        lens, prompts, parts = stitched_model(which, steps, ARTIFACTS, n=64)

        def least(signatures: dict[str, np.ndarray], lens: Lens = lens, parts: dict[str, np.ndarray] = parts) -> float:
            scores = []
            for site, part in parts.items():
                live = live_features(signatures[site])
                scores.append(adjusted_rand(grouped(lens, signatures[site], QUICK, site).labels(site)[live], part[live]))
            return min(scores)

        raw = least(raw_activations(lens, prompts))
        name = f"{len(PARTS[which])} parts of {which}, {steps} steps"
        note = f"least of {len(parts)} sites; activations as they are {raw:.3f}; by attribution {least(attribution_signatures(lens, prompts, 0)):.3f}"
        figures.append(Figure(f"{name}: ARI with the parts", least(activation_signatures(lens, prompts, QUICK)), 1.0, at_most=False, note=note))
        noisy = [least(noisy_signatures(lens, prompts, 3.0, seed)) for seed in DRAWS]
        more = [least(noisy_signatures(lens, prompts, 3.0, seed, of_all=True)) for seed in DRAWS]
        note = f"least of {len(noisy)} draws and {len(parts)} sites; "
        note += f"{min(more):.3f} where noise is measured against all variance, steps between positions among it"
        figures.append(Figure(f"{name}, SNR 3: ARI with the parts", min(noisy), 0.9, at_most=False, note=note))
    return figures


def _nothing() -> list[Figure]:
    """Untrained models (two initialisations) and shuffled prompts: how many of 20 seeds are not above their nulls."""
    given = adders()[:2]
    cases: dict[str, Callable[[int], tuple[Lens, np.ndarray]]] = {
        "untrained, normal weights": lambda seed: _untrained(given[0], seed),
        "untrained, step 0 of a training here": lambda seed: _initial(given[0], seed),
        "trained, every neuron's prompts shuffled": lambda seed: _shuffled(given[seed % 2], seed),
    }
    figures = []
    for name, case in cases.items():
        qualities = [grouped(*case(seed)).quality["m0"] for seed in SEEDS]
        z = sorted(min(one.z_rotation, one.z_shuffle) for one in qualities)
        quiet = sum(not one.above_null for one in qualities)
        figures.append(
            Figure(
                f"{name}: not above the nulls, of {len(SEEDS)} seeds",
                quiet,
                len(SEEDS),
                at_most=False,
                note=f"largest z {z[-1]:.1f}, median {statistics.median(z):.1f}",
            )
        )
    return figures


def _untrained(model: Adder, seed: int) -> tuple[Lens, np.ndarray]:
    """The given model with weights drawn anew, normal with deviation .8/√128, biases zero."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(weight: torch.Tensor) -> torch.Tensor:
        return torch.randn(weight.shape, generator=generator) * 0.8 / 128**0.5

    lens = model.lens
    (attention,), (mlp,) = lens.attentions, lens.mlps
    assert mlp is not None
    assert lens.W_pos is not None
    heads = {f"W_{part}": drawn(getattr(attention, f"W_{part}")) for part in "QKVO"}
    heads |= {f"b_{part}": torch.zeros_like(getattr(attention, f"b_{part}")) for part in "QKVO"}
    neurons = {"W_in": drawn(mlp.W_in), "W_out": drawn(mlp.W_out), "b_in": torch.zeros_like(mlp.b_in), "b_out": torch.zeros_like(mlp.b_out)}
    drawn_anew = {"W_E": drawn(lens.W_E), "W_pos": drawn(lens.W_pos), "W_U": drawn(lens.W_U)}
    lens = replace(lens, **drawn_anew, attentions=(replace(attention, **heads),), mlps=(replace(mlp, **neurons),))
    return lens, activation_signatures(lens, model.prompts(seed=seed), DEFAULT)["m0"]


def _initial(model: Adder, seed: int) -> tuple[Lens, np.ndarray]:
    """Step 0 of a model trained here on the same modulus."""
    lens = initial(model.p, seed)
    return lens, activation_signatures(lens, model.prompts(seed=seed), DEFAULT)["m0"]


def _shuffled(model: Adder, seed: int) -> tuple[Lens, np.ndarray]:
    signature = activation_signatures(model.lens, model.prompts(seed=seed), DEFAULT)["m0"]
    return model.lens, np.random.default_rng(seed).permuted(signature, axis=1)


def _summed(model: Adder) -> np.ndarray:
    """Node scores per example, summed over positions."""
    (task,) = model.prompts(4096)
    return example_scores(model.lens, task, task.rois)["m0"].T.astype(np.float32)


def test_methods() -> None:
    """Every method, and the other signature, with the K it finds by itself; nulls of ``FEW`` draws, whose seconds are counted."""
    figures = []
    ways: dict[str, tuple[str, Callable[[Adder], np.ndarray]]] = {
        **{f"`{method}`": (method, lambda model: activation_signatures(model.lens, model.prompts(), DEFAULT)["m0"]) for method in METHODS},
        "`agglomerative` on activations as they are": ("agglomerative", lambda model: raw_activations(model.lens, model.prompts())["m0"]),
        "`signature: attribution`, 256 prompts": ("agglomerative", lambda model: attribution_signatures(model.lens, model.prompts(), 0)["m0"]),
        "`signature: attribution`, up to 4,096 prompts": ("agglomerative", lambda model: attribution_signatures(model.lens, model.prompts(4096), 0)["m0"]),
        "attribution summed over positions, up to 4,096 prompts": ("agglomerative", _summed),
    }
    for name, (method, signature) in ways.items():
        for model in adders():
            rows = signature(model)
            start = process_time()
            partition = grouped(model.lens, rows, RoiSettings(method=method, null_draws=FEW))
            note = f"{worth(partition)}; {process_time() - start:.1f} s"
            print(name, model.name, f"{found(model, partition):.3f}", note, flush=True)
            figures.append(Figure(f"{name}, {model.name}: ARI with the frequency", found(model, partition), note=note))
    keep("roi_methods", figures, COMMAND)
    assert all(-1 <= figure.value <= 1 for figure in figures)
