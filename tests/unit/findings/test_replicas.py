"""Models that differ in their seeds alone are replicas; nothing else is."""

from roicg.core.settings import Study
from roicg.findings.finding import Measured
from roicg.findings.replicas import replicas

PART = {"recipe": "multitask", "config": {"normalization_type": None}}


def study() -> Study:
    def trained(name: str, seed: int, width: int = 64, checkpoints: tuple[int, ...] = (0, 9)) -> dict:
        return {
            "name": name,
            "source": {"kind": "trained", "recipe": "multitask", "seed": seed, "config": {"d_model": width}, "checkpoints": checkpoints},
            "tasks": ["t"],
        }

    def stitched(name: str, seed: int) -> dict:
        return {"name": name, "source": {"kind": "stitched", "parts": [{**PART, "seed": seed}, PART], "checkpoints": [9]}, "tasks": ["t"]}

    def native(name: str) -> dict:
        return {"name": name, "source": {"kind": "native", "config": {}, "checkpoints": {"9": "w.safetensors"}}, "tasks": ["t"]}

    models = [
        trained("small-s0", 0),
        trained("small-s1", 1),
        trained("small-s2", 2, checkpoints=(9,)),
        trained("wide", 0, 128),
        stitched("st-s0", 0),
        stitched("st-s1", 1),
        native("n0"),
        native("n1"),
    ]
    return Study.model_validate({"study": "s", "models": models, "tasks": [{"name": "t", "prompts": {"kind": "generated", "recipe": "multitask.add"}}]})


def test_seeds_are_put_together_by_label() -> None:
    """A seed with fewer checkpoints is one. Seen to fail with seeds of the parts of a stitched model left in, and with the list of checkpoints left in."""
    labels = {"small-s0": ("0", "9"), "small-s1": ("0", "9"), "small-s2": ("9",), "wide": ("9",), "st-s0": ("9",), "st-s1": ("9",), "n0": ("9",), "n1": ("9",)}
    measured = [Measured(model, label, int(label), ()) for model, all_labels in labels.items() for label in all_labels]
    found = [(name, [one.model for one in together]) for name, together in replicas(study(), measured)]
    assert found == [
        ("small@0", ["small-s0", "small-s1"]),
        ("small@9", ["small-s0", "small-s1", "small-s2"]),
        ("wide@9", ["wide"]),
        ("st@9", ["st-s0", "st-s1"]),
        ("n0@9", ["n0"]),
        ("n1@9", ["n1"]),
    ]
