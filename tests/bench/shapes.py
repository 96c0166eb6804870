"""The two model shapes of the speed figures with random weights, the prompts they are asked, and the calls that are timed."""

import torch

from roicg.core.partition import Roi, RoiPartition
from roicg.core.prompts import PromptPair, PromptSet, TaskPrompts
from roicg.models.extract import lens_from_bridge
from roicg.models.forward import logits
from roicg.models.lens import Lens
from roicg.models.native import bridge_config
from roicg.models.native_config import native_config
from roicg.models.placement import place
from roicg.rois.controls import components
from tests.bench.timing import Call

SMALL = "2L d64 B32×P32"
LARGE = "4L d256 B32×P32"
BATCH, LENGTH, VOCAB, STEPS = 32, 32, 512, 5


def shape(name: str) -> dict[str, int]:
    """Layers and widths of ``SMALL`` or ``LARGE``."""
    layers, d_model, heads = {SMALL: (2, 64, 4), LARGE: (4, 256, 8)}[name]
    return sizes(layers, d_model, heads)


def sizes(layers: int, d_model: int, heads: int) -> dict[str, int]:
    """A GPT-like model: heads share d_model, the MLP is four times as wide."""
    return {"n_layers": layers, "d_model": d_model, "n_heads": heads, "d_head": d_model // heads, "d_mlp": 4 * d_model}


def bare_and_lens(
    config: dict[str, int], length: int = LENGTH, vocab: int = VOCAB, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[torch.nn.Module, Lens]:
    """The plain module that TransformerLens wraps, without its bridge, hooks or parameter gradients, and the lens of the same weights."""
    from transformer_lens.model_bridge.sources.native import boot
    from transformer_lens.model_bridge.sources.native.model import NativeModel

    settings = native_config({**config, "n_ctx": length, "d_vocab": vocab, "act_fn": "gelu", "normalization_type": "LN"})
    bridge = boot(bridge_config(settings, seed=0), device="cpu", dtype=dtype)
    lens = place(lens_from_bridge(bridge, "bench"), device)
    module = NativeModel(bridge_config(settings, seed=0)).eval().to(dtype)
    weights = {name.replace("._original_component", ""): value for name, value in bridge.original_model.state_dict().items()}
    module.load_state_dict({name: weights[name] for name in module.state_dict()})
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    module.to(device)
    tokens, near = torch.arange(length, device=device)[None] % vocab, 1e-4 if dtype == torch.float32 else 5e-2
    torch.testing.assert_close(module(tokens), logits(lens, tokens), rtol=near, atol=near)
    return module, lens


def grouped(lens: Lens, parts: int = 4) -> RoiPartition:
    """Heads one by one, each MLP in ``parts`` ROIs."""
    rois = []
    for roi in components(lens.sites).rois:
        members = [roi.members[i::parts] for i in range(parts)] if roi.kind == "mlp" else []
        rois += [Roi(f"{roi.key}.r{i}", roi.site, roi.layer, roi.kind, part) for i, part in enumerate(members)] or [roi]
    return RoiPartition("own", lens.sites, tuple(rois))


def questions(batch: int = BATCH, length: int = LENGTH) -> TaskPrompts:
    """Random pairs, the same in all three splits under other keys."""
    g = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, VOCAB, (batch, 2, length), generator=g).tolist()

    def split(name: str) -> PromptSet:
        pairs = (PromptPair(f"{name}-{i}", tuple(c), tuple(o), (length - 1,), ((1,),), ((2,),)) for i, (c, o) in enumerate(tokens))
        return PromptSet("bench", name, tuple(pairs))

    return TaskPrompts("bench", "logit_difference", split("rois"), split("edges"), split("eval"))


def bare_call(module: torch.nn.Module, prompts: TaskPrompts, times: int = STEPS, backward: bool = True) -> Call:
    """``times`` × forward (and backward to the token embedding) of the module itself."""
    embedding = module.tok_embed.weight
    tokens = torch.tensor([pair.clean for pair in prompts.edges.pairs], device=embedding.device)

    def call() -> None:
        with torch.set_grad_enabled(backward):
            for _ in range(times):
                leaf = embedding[tokens].requires_grad_(backward)
                out = module(inputs_embeds=leaf)
                if backward:
                    torch.autograd.grad((out[:, -1, 1] - out[:, -1, 2]).mean(), leaf)

    return call
