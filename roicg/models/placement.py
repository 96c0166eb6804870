"""Moving a Lens to another device."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from roicg.core.errors import SourceError
from roicg.models.lens import Lens

Value = TypeVar("Value")


def place(lens: Lens, device: str) -> Lens:
    """The same Lens on ``device`` (``auto``: CUDA where there is one); ``SourceError`` when that device is not there."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        target = torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise SourceError(f"device {device!r} cannot be used here: {str(error).splitlines()[0]}; use cpu") from error
    return _moved(lens, target)


def _moved(value: Value, device: torch.device) -> Value:
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changes: dict[str, Any] = {}
    for field in fields(value):
        part = getattr(value, field.name)
        if isinstance(part, Tensor):
            changes[field.name] = part.to(device)
        elif isinstance(part, tuple):
            changes[field.name] = tuple(_moved(item, device) for item in part)
        else:
            changes[field.name] = _moved(part, device)
    return replace(value, **changes)
