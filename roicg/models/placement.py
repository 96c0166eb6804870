"""Which device a model runs on, and moving a Lens there."""

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch
from torch import Tensor

from roicg.core.errors import StudyError
from roicg.models.lens import Lens

Value = TypeVar("Value")


def chosen_device(wanted: str) -> str:
    """The device that ``wanted`` means on this machine (``auto``: CUDA where there is one, else the CPU); ``StudyError`` when it is not there."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", wanted):
        raise StudyError(f"device {wanted!r} is none that roicg computes on; use auto, cpu, cuda or cuda:N")
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        raise StudyError(f"device {wanted!r} cannot be used here: {str(error).splitlines()[0]}; use cpu") from error
    return wanted


def place(lens: Lens, device: str) -> Lens:
    """The same Lens on the :func:`chosen_device`; on CUDA sums of half-precision products are held in float32."""
    target = torch.device(chosen_device(device))
    if target.type == "cuda":
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    return moved(lens, target)


def moved(value: Value, device: torch.device) -> Value:
    """``value`` with every tensor in it on ``device``, however deep in tuples and dataclasses."""
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changes: dict[str, Any] = {}
    for field in fields(value):
        part = getattr(value, field.name)
        if isinstance(part, Tensor):
            changes[field.name] = part.to(device)
        elif isinstance(part, tuple):
            changes[field.name] = tuple(moved(item, device) for item in part)
        else:
            changes[field.name] = moved(part, device)
    return replace(value, **changes)
