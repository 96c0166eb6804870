"""Hugging Face checkpoints: a local folder (one model, or ``checkpoint-*`` folders) or a hub name with revisions.

Only safetensors are read and no code from a model folder is run. Weights are loaded in their own dtype, hashed, and
only then cast.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformer_lens.model_bridge import TransformerBridge
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from roicg.core.errors import SourceError
from roicg.core.settings import HfSource
from roicg.models.extract import FAMILIES
from roicg.models.hf_labels import hf_folder
from roicg.models.refuse import refuse_hf
from roicg.models.tensors import check_finite, state_digest

_VOLATILE = frozenset({"_name_or_path", "transformers_version", "dtype", "torch_dtype", "architectures", "use_cache"})
Tokenize = Callable[[str], list[int]]


def hf_bridge(source: HfSource, label: str, folder: Path, dtype: torch.dtype) -> tuple[TransformerBridge, str]:
    """Bridge and weights digest of one checkpoint; ``SourceError`` when it cannot be loaded, ``UnsupportedModel`` when not represented."""
    place, revision = hf_folder(source, label, folder)
    where = f"{place}@{revision}" if revision else place
    try:
        config = AutoConfig.from_pretrained(place, revision=revision, trust_remote_code=False)
        architecture = str((config.architectures or [type(config).__name__])[0])
        refuse_hf(config, architecture, tuple(FAMILIES))
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            place, revision=revision, config=config, trust_remote_code=False, use_safetensors=True, dtype="auto",
            attn_implementation="eager", output_loading_info=True,
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"cannot load {where}: {_first_line(error)} (safetensors only, no model code is run)") from error
    model, loading = loaded
    if missing := sorted(loading["missing_keys"]):
        raise SourceError(f"{where} lacks {len(missing)} weights that its config calls for ({', '.join(missing[:3])}); they would be random numbers")
    state = model.state_dict()
    check_finite(state, where)
    digest = state_digest(state, {key: value for key, value in config.to_diff_dict().items() if key not in _VOLATILE})
    model = model.to(dtype).eval()
    return build_bridge_from_module(model, architecture=architecture, hf_config=model.config, dtype=dtype, device="cpu", model_name=place), digest


def hf_tokenize(source: HfSource, label: str, folder: Path) -> Tokenize | None:
    """The checkpoint's tokenizer as text → ids without special tokens; None where the folder has none."""
    tokenizer = _tokenizer(source, label, folder)
    return None if tokenizer is None else lambda text: [int(token) for token in tokenizer.encode(text, add_special_tokens=False)]


def hf_token_text(source: HfSource, label: str, folder: Path) -> Callable[[int], str] | None:
    """Token id → its text, by the checkpoint's tokenizer; None where the folder has none."""
    tokenizer = _tokenizer(source, label, folder)
    return None if tokenizer is None else lambda token: str(tokenizer.decode([token]))


def _tokenizer(source: HfSource, label: str, folder: Path) -> Any:
    place, revision = hf_folder(source, label, folder)
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(place, revision=revision, trust_remote_code=False)
    except (OSError, ValueError, KeyError):
        return None
    if len(tokenizer.get_vocab()) < 2:  # transformers makes an empty one where the folder has no tokenizer files
        return None
    return tokenizer


def _first_line(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error).strip().split("\n")[0])[:300]
