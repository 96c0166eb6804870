"""Weights as files and as content: safetensors only, finite, hashed, and written so that a kill leaves nothing half done."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from roicg.core.errors import SourceError
from roicg.core.ids import digest

PICKLE_SUFFIXES = frozenset({".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".zip"})
_PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file on the CPU; ``SourceError`` for a missing file, a pickle, a damaged file, NaN or inf."""
    if path.suffix.lower() in PICKLE_SUFFIXES:
        raise SourceError(f"{path} is a pickle by its name, which can run code when read; save the weights as .safetensors and name that file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(f"cannot read the weights {path}: {error.strerror or error}; check the path in the study's checkpoints") from error
    if data.startswith(_PICKLE_STARTS):
        raise SourceError(f"{path} holds a pickle whatever its name says, which can run code when read; save the weights with safetensors.torch.save_file")
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise SourceError(f"{path} is not a readable safetensors file ({error}); save the weights with safetensors.torch.save_file") from error
    check_finite(tensors, str(path))
    return tensors


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write beside ``path``, flush to disk, rename: after a kill the file is whole or absent. A full disk is a ``SourceError``."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, dict(metadata or {})))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise SourceError(f"cannot write {path}: {error.strerror or error}; free some space or set ROICG_HOME elsewhere") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """``SourceError`` naming the first tensor that holds NaN or inf."""
    for name in sorted(tensors):
        if tensors[name].is_floating_point() and not bool(torch.isfinite(tensors[name]).all()):
            count = int((~torch.isfinite(tensors[name])).sum())
            raise SourceError(f"{where}: tensor {name!r} holds {count} values that are NaN or infinite; this checkpoint cannot be used")


def state_digest(tensors: Mapping[str, Tensor], config: object) -> str:
    """Hash of names, dtypes, shapes and bytes, and of the config that says how they are used: equal digests compute the same logits."""
    rows = []
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        rows.append([name, str(tensor.dtype), list(tensor.shape), hashlib.sha256(tensor.flatten().view(torch.uint8).numpy().tobytes()).hexdigest()])
    return digest(rows, config)
