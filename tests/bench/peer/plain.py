"""The bound that both processes measure: a GPT-like model in plain torch, its forward and backward, and the clock.

Imports torch and nothing else, so that roicg's process and the peer's run this very code. The parameters are named as those
of the module that TransformerLens 4 wraps. Shapes: B examples, P positions, D d_model, H heads, E d_head.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.bench.timing import Call

STEPS = 5


class Attention(nn.Module):
    """Causal attention, [B, P, D] to [B, P, D]."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))

    def forward(self, stream: Tensor) -> Tensor:
        q, k, v = (projection(stream).unflatten(-1, (self.heads, -1)).transpose(1, 2) for projection in (self.q, self.k, self.v))  # [B, H, P, E]
        later = torch.ones(stream.shape[1], stream.shape[1], dtype=torch.bool, device=stream.device).triu(1)
        scores = (q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5).masked_fill(later, float("-inf"))
        return self.o((F.softmax(scores, dim=-1) @ v).transpose(1, 2).flatten(-2))


class Mlp(nn.Module):
    """GELU between two linear maps, [B, P, D] to [B, P, D]."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc_in, self.fc_out = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, stream: Tensor) -> Tensor:
        return self.fc_out(F.gelu(self.fc_in(stream)))


class Block(nn.Module):
    """LayerNorm before attention and before the MLP, both added to the stream."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = Attention(width, heads), Mlp(width, hidden)

    def forward(self, stream: Tensor) -> Tensor:
        stream = stream + self.attn(self.ln1(stream))
        return stream + self.mlp(self.ln2(stream))


class Plain(nn.Module):
    """Token embeddings [B, P, D] to logits [B, P, vocab]; sizes and weights are those of ``weights``; without parameter gradients."""

    def __init__(self, weights: Mapping[str, Tensor], heads: int) -> None:
        super().__init__()
        vocab, width = weights["tok_embed.weight"].shape
        self.tok_embed, self.pos = nn.Embedding(vocab, width), nn.Embedding(*weights["pos.weight"].shape)
        hidden = weights["layers.0.mlp.fc_in.weight"].shape[0]
        self.layers = nn.ModuleList(Block(width, heads, hidden) for _ in range(n_layers(weights)))
        self.ln_out, self.head = nn.LayerNorm(width), nn.Linear(width, vocab, bias=False)
        self.load_state_dict(weights)
        self.requires_grad_(False)

    def forward(self, embedded: Tensor) -> Tensor:
        stream = embedded + self.pos.weight[: embedded.shape[1]]
        for block in self.layers:
            stream = block(stream)
        return self.head(self.ln_out(stream))


def n_layers(weights: Mapping[str, Tensor]) -> int:
    """Blocks that ``weights`` names."""
    return 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))


def logit_difference(logits: Tensor) -> Tensor:
    """Mean over examples of logit 1 minus logit 2 at the last position; logits [B, P, vocab]."""
    return (logits[:, -1, 1] - logits[:, -1, 2]).mean()


def bound_call(plain: Plain, tokens: Tensor, times: int = STEPS) -> Call:
    """``times`` × forward and backward to the token embedding; tokens [B, P]."""

    def call() -> None:
        for _ in range(times):
            leaf = plain.tok_embed.weight[tokens].requires_grad_()
            torch.autograd.grad(logit_difference(plain(leaf)), leaf)

    return call
