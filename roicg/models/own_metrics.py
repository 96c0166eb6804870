"""A user's metric, loaded and kept honest: it must take what roicg's own take and give one finite number per example.

The function is called as ``metric(logits, answers, wrong)`` (see ``metrics.py`` for the shapes), must be made of torch
operations so that it has a gradient, and must treat every example by itself. Wrong answers are filled in as for
``logit_difference`` unless the function has the attribute ``needs_wrong_answers = False``.
"""

import inspect
from collections.abc import Callable
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from roicg.core.errors import RoicgError, StudyError
from roicg.models.batches import Choices
from roicg.models.metric_files import MetricFile, metric_file
from roicg.models.metrics import OPENED, Metric, OpenedMetric

ARGUMENTS = "(logits, answers, wrong)"


def open_metric(name: str, folder: Path) -> str:
    """The key under which :func:`roicg.models.metrics.metric` finds ``name`` from now on; ``StudyError`` where it cannot be used."""
    found = metric_file(name, folder)
    if found is None:
        return name
    if found.key not in OPENED:
        function = _load(found)
        OPENED[found.key] = OpenedMetric(checked(name, function), bool(getattr(function, "needs_wrong_answers", True)))
    return found.key


def checked(name: str, function: Callable[..., Any]) -> Metric:
    """``function`` with its result checked at every call: one finite number per example, with a gradient where the logits have one."""

    def call(logits: Float[Tensor, "B A V"], answers: Choices, wrong: Choices) -> Float[Tensor, " B"]:
        try:
            value = function(logits, answers, wrong)
        except RoicgError:
            raise
        except Exception as error:
            raise StudyError(f"metric {name!r} failed on logits of shape {list(logits.shape)}: {type(error).__name__}: {error}") from error
        given = f"a tensor of shape {list(value.shape)} and {value.dtype}" if isinstance(value, Tensor) else f"{value!r:.80}"
        if not isinstance(value, Tensor) or value.shape != logits.shape[:1] or not value.is_floating_point():
            raise StudyError(f"metric {name!r} gave {given} for {len(logits)} examples; it must give one number per example, a float tensor of shape [B]")
        if not bool(torch.isfinite(value).all()):
            raise StudyError(f"metric {name!r} is not finite on some example; guard it against missing answers (answers.mask, wrong.mask) and against log of 0")
        if logits.requires_grad and torch.is_grad_enabled() and not value.requires_grad:
            raise StudyError(f"metric {name!r} has no gradient; build it from torch operations on the logits, without detach, item or argmax")
        return value

    return call


def _load(found: MetricFile) -> Callable[..., Any]:
    try:
        if found.beside:
            spec = spec_from_file_location(f"roicg_metric_{found.digest}", found.path)  # a name of its own: two studies never share it
            assert spec is not None
            assert spec.loader is not None
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
        else:
            module = import_module(found.module)
    except Exception as error:
        raise StudyError(f"metric {found.name!r}: {found.path} cannot be imported: {type(error).__name__}: {error}") from error
    function: Any = getattr(module, found.function, None)
    if not callable(function):
        known = sorted(name for name, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == module.__name__)
        raise StudyError(f"metric {found.name!r}: {found.path} has no function {found.function!r}; it has {', '.join(known) or 'none'}")
    try:
        inspect.signature(function).bind(None, None, None)
    except (TypeError, ValueError) as error:
        raise StudyError(f"metric {found.name!r} must be callable as {found.function}{ARGUMENTS}: {error}") from error
    return cast(Callable[..., Any], function)
