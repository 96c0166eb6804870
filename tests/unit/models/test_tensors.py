"""Weight files are whole or absent, digests see every bit, and a Lens moves as a whole."""

import errno
import os
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from roicg.core.errors import SourceError, StudyError
from roicg.models.extract import lens_from_bridge
from roicg.models.native import native_bridge
from roicg.models.placement import chosen_device, moved, place
from roicg.models.tensors import read_tensors, state_digest, write_tensors
from tests.unit.models.test_extract import BASE, random_tensors

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2])}


def test_files_are_read_back_bit_for_bit(tmp_path: Path) -> None:
    write_tensors(tmp_path / "new" / "w.safetensors", TENSORS | {"c": TENSORS["a"].T})
    back = read_tensors(tmp_path / "new" / "w.safetensors")
    assert {name: tensor.tolist() for name, tensor in back.items()} == {"a": [[0, 1, 2], [3, 4, 5]], "b": [1, 2], "c": [[0, 3], [1, 4], [2, 5]]}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize(
    ("failure", "shown"),
    [(OSError(errno.ENOSPC, "No space left on device"), SourceError), (KeyboardInterrupt("stopped"), KeyboardInterrupt)],
    ids=["full disk", "Ctrl-C"],
)
def test_a_full_disk_and_ctrl_c_leave_the_old_file_and_nothing_else(
    failure: BaseException, shown: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    write_tensors(path, TENSORS)
    before = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(shown, match=r"No space left|stopped"):
        write_tensors(path, {"a": torch.zeros(9)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_digest_sees_names_types_shapes_bytes_and_config_but_not_order_or_memory_layout() -> None:
    base = state_digest(TENSORS, {"x": 1})
    assert base == state_digest(dict(reversed(TENSORS.items())), {"x": 1})
    assert base == state_digest(TENSORS | {"a": TENSORS["a"].T.contiguous().T}, {"x": 1})
    others = [
        state_digest(TENSORS, {"x": 2}),
        state_digest({"a": TENSORS["a"], "c": TENSORS["b"]}, {"x": 1}),
        state_digest(TENSORS | {"a": TENSORS["a"].double()}, {"x": 1}),
        state_digest(TENSORS | {"a": TENSORS["a"].reshape(3, 2)}, {"x": 1}),
        state_digest(TENSORS | {"a": TENSORS["a"].nextafter(torch.tensor(9.0))}, {"x": 1}),
    ]
    assert len({base, *others}) == 6
    assert state_digest({"s": torch.tensor(1.0, dtype=torch.bfloat16)}, None) != state_digest({"s": torch.tensor(2.0, dtype=torch.bfloat16)}, None)


def test_every_tensor_of_a_lens_moves() -> None:
    config = BASE | {"positional_embedding_type": "rotary", "rotary_dim": 2, "gated_mlp": True, "act_fn": "silu"}
    lens = lens_from_bridge(native_bridge(config, random_tensors(config), "test"), "digest")
    assert place(lens, "auto").device.type == ("cuda" if torch.cuda.is_available() else "cpu")
    there, kept = _tensors(moved(lens, torch.device("meta"))), _tensors(lens)
    assert len(there) == len(kept) > 30
    assert {tensor.device.type for tensor in there} == {"meta"}
    assert {tensor.device.type for tensor in kept} == {"cpu"}


@pytest.mark.parametrize("there", [True, False])
def test_auto_is_cuda_where_there_is_one(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with ``auto`` always the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert chosen_device("auto") == ("cuda" if there else "cpu")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("cuda:99", "device 'cuda:99' cannot be used here: .*; use cpu"),
        ("meta", "device 'meta' is none that roicg computes on; use auto, cpu, cuda or cuda:N"),
        ("gpu", "device 'gpu' is none"),
    ],
)
def test_a_device_that_cannot_compute_is_refused(wanted: str, said: str) -> None:
    """Seen to fail without the pattern of names (``meta`` was taken) and without the ``try`` (a bare AssertionError of torch)."""
    with pytest.raises(StudyError, match=said):
        chosen_device(wanted)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    parts = list(value) if isinstance(value, tuple) else [getattr(value, field.name) for field in fields(value)] if is_dataclass(value) else []
    return [tensor for part in parts for tensor in _tensors(part)]
