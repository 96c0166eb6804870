"""Graphs as EAP-IG writes them, of any shape, with random scores."""

from typing import Any

import numpy as np


def eap_ig_json(layers: int, heads: int, *, parallel: bool = False, seed: int = 0) -> dict[str, Any]:
    """What ``Graph.to_json`` writes for a model of this shape: GPT-2 small is 12 layers of 12 heads, 158 nodes and 32,491 edges."""
    names: dict[str, None] = {}
    stream, nodes = ["input"], ["input"]
    for layer in range(layers):
        here = [f"a{layer}.h{head}" for head in range(heads)]
        names |= dict.fromkeys(f"{source}->{head}<{port}>" for source in stream for head in here for port in "qkv")
        reads = stream if parallel else stream + here
        names |= dict.fromkeys(f"{source}->m{layer}" for source in reads)
        stream = [*stream, *here, f"m{layer}"]
        nodes += [*here, f"m{layer}"]
    names |= dict.fromkeys(f"{source}->logits" for source in stream)
    scores = np.random.default_rng(seed).standard_t(2, len(names)).astype(np.float32).tolist()
    return {
        "cfg": {"n_layers": layers, "n_heads": heads, "parallel_attn_mlp": parallel, "d_model": 64},
        "nodes": {name: {"in_graph": i % 2 == 0} for i, name in enumerate([*nodes, "logits"])},
        "edges": {name: {"score": score, "in_graph": score > 0} for name, score in zip(names, scores, strict=True)},
    }
