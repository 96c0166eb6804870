"""The published EAP and EAP-IG scores of two 2-layer models (tests/data/golden/README.md), as lenses and prompts."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.models.lens import Lens

FOLDER = Path(__file__).parent / "data" / "golden"


@dataclass(frozen=True)
class Golden:
    lens: Lens
    prompts: TaskPrompts
    rows: list[str]
    cols: list[str]
    real: np.ndarray
    arrays: dict[str, np.ndarray]
    about: dict

    def dense(self, attribution) -> np.ndarray:
        """Weights of the first task as a matrix [source, target] in the golden file's order."""
        matrix = np.zeros(self.real.shape)
        keys = [roi.key for roi in attribution.partition.rois]
        edges = attribution.edges
        for u, v, port, weight in zip(edges.source, edges.target, edges.port, edges.weight[0], strict=True):
            source = "input" if keys[u] == "tok" else keys[u]
            matrix[self.rows.index(source), self.cols.index(keys[v] if port == "in" else f"{keys[v]}<{port}>")] = weight
        return matrix


@cache
def load_golden(which: str) -> Golden:
    from roicg.models.extract import lens_from_bridge
    from roicg.models.native import native_bridge

    arrays = dict(np.load(FOLDER / f"{which}.npz"))
    about = json.loads((FOLDER / f"{which}.json").read_text())
    cfg = about["cfg"]
    config = {key: cfg[key] for key in ("n_layers", "d_model", "n_heads", "d_mlp", "n_ctx", "d_vocab")} | {
        "d_head": cfg["d_model"] // cfg["n_heads"],
        "act_fn": "gelu",
        "normalization_type": "LN",
        "eps": cfg["ln_eps"],
    }
    tensors = {name.removeprefix("weight."): torch.tensor(value) for name, value in arrays.items() if name.startswith("weight.")}
    lens = lens_from_bridge(native_bridge(config, tensors, which, torch.float64), which)
    pairs = tuple(
        PromptPair(str(i), tuple(clean.tolist()), tuple(corrupt.tolist()), (len(clean) - 1,), ((int(right),),), ((int(wrong),),))
        for i, (clean, corrupt, (right, wrong)) in enumerate(zip(arrays["clean"], arrays["corrupt"], arrays["labels"], strict=True))
    )
    again = tuple(PromptPair(f"eval-{p.key}", p.clean, p.corrupted, p.positions, p.answers, p.wrong_answers) for p in pairs)
    prompts = TaskPrompts(
        "golden", "logit_difference", PromptSet("golden", "rois", ()), PromptSet("golden", "edges", pairs), PromptSet("golden", "eval", again)
    )
    return Golden(lens, prompts, about["rows"], about["cols"], arrays["real_edge_mask"].astype(bool), arrays, about)
