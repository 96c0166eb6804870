"""Which checkpoints can be opened: whole files at rest, in every state that a copy or a trainer leaves them in."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from roicg.core.errors import SourceError
from roicg.core.settings import HfSource, ModelSettings, NativeSource, TrainedSource
from roicg.models.hf_labels import hf_labels
from roicg.models.settled import files_digest, unsettled
from tests.pipelines.tiny import write_checkpoint

FOLDER = ModelSettings(name="m", source=HfSource(kind="hf", path="run"))
FILE = ModelSettings(name="m", source=NativeSource(kind="native", config={}, checkpoints={"a": "a.safetensors"}))
TRAINED = ModelSettings(name="m", source=TrainedSource(kind="trained", recipe="modadd", checkpoints=(0, 5)))
INDEX = "model.safetensors.index.json"


def state(tmp_path: Path, model: ModelSettings = FOLDER, label: str = "5") -> str | None:
    return unsettled(model, label, tmp_path, quiet_s=0.0)


def test_a_whole_checkpoint_is_settled_once_nothing_changes(tmp_path: Path) -> None:
    """Seen to fail with the modification time asked: the copy that keeps old times was taken at once."""
    made = write_checkpoint(tmp_path / "run", 5)
    assert state(tmp_path) is None
    for path in (made, *made.iterdir()):
        os.utime(path, (1, 1))  # what cp -p and rsync -t do
    assert unsettled(FOLDER, "5", tmp_path, quiet_s=60.0) == "checkpoint-5 changed less than 60 s ago"


def test_weights_that_are_not_there_or_cut_short_wait(tmp_path: Path) -> None:
    """Seen to fail without the comparison of length: a file cut at half passed."""
    weights = write_checkpoint(tmp_path / "run", 5) / "model.safetensors"
    whole = weights.read_bytes()
    for size in (0, 4, 8, 200, len(whole) // 2, len(whole) - 1):
        weights.write_bytes(whole[:size])
        assert state(tmp_path) == "model.safetensors is half-written", size
    weights.write_bytes(b"PK\x03\x04" + bytes(200))  # no safetensors at all
    assert state(tmp_path) == "model.safetensors is half-written"
    weights.unlink()
    assert state(tmp_path) == "its weights are not there yet"


def test_weights_in_parts_wait_for_every_part_and_the_index(tmp_path: Path) -> None:
    made = write_checkpoint(tmp_path / "run", 5)
    first, second = made / "model-00001-of-00002.safetensors", made / "model-00002-of-00002.safetensors"
    (made / "model.safetensors").rename(first)
    assert state(tmp_path) == f"its {INDEX} is not there yet"
    (made / INDEX).write_text('{"weight_map": {"a": "model-000')
    assert state(tmp_path) == f"{INDEX} is not there yet, or half-written"
    (made / INDEX).write_text(json.dumps({"weight_map": {"a": first.name, "b": second.name}}))
    assert state(tmp_path) == f"{second.name} is not there yet, or half-written"
    shutil.copy(first, second)
    assert state(tmp_path) is None


def test_a_config_that_is_half_written_waits(tmp_path: Path) -> None:
    config = write_checkpoint(tmp_path / "run", 5) / "config.json"
    config.write_text(config.read_text()[:30])
    assert state(tmp_path) == "its config.json is half-written"


def test_what_belongs_to_somebody_else_is_named() -> None:
    """A lab's services are not its trainers. Seen to fail with "its files are changing", and with an exception that was no SourceError."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to others
        folder = Path(name)
        made = write_checkpoint(folder / "run", 5)
        for path, kept in ((folder, 0o755), (made / "model.safetensors", 0o000), (made / "config.json", 0o644)):
            path.chmod(kept)
        with another_user() as user:
            assert unsettled(FOLDER, "5", folder, quiet_s=0.0) == f"{made / 'model.safetensors'} may not be read by user {user}: let it (chmod a+rX)"
        (folder / "run").chmod(0o000)
        with another_user() as user, pytest.raises(SourceError, match=f"run.* may not be read by user {user}"):
            hf_labels(FOLDER.source, folder)
        (folder / "run").chmod(0o755)


@contextmanager
def another_user() -> Iterator[int]:
    """As a user to whom permissions apply: root may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield os.geteuid()
    finally:
        os.seteuid(before)


def test_a_native_file_is_waited_for(tmp_path: Path) -> None:
    assert state(tmp_path, FILE, "a") == "its file a.safetensors is not there yet"
    shutil.copy(write_checkpoint(tmp_path / "run", 5) / "model.safetensors", tmp_path / "a.safetensors")
    assert state(tmp_path, FILE, "a") is None


def test_what_settings_determine_is_settled_always(tmp_path: Path) -> None:
    hub = ModelSettings(name="m", source=HfSource(kind="hf", name="o/m", revisions=("step5",)))
    assert [state(tmp_path, TRAINED), state(tmp_path, hub, "step5"), files_digest(TRAINED, "5", tmp_path), files_digest(hub, "step5", tmp_path)] == [
        None, None, "", "",
    ]  # fmt: skip


def test_the_digest_follows_what_is_read_and_nothing_else(tmp_path: Path) -> None:
    """Seen to fail with hashes remembered by path and size alone."""
    made = write_checkpoint(tmp_path / "run", 5)
    first = files_digest(FOLDER, "5", tmp_path)
    (made / "optimizer.pt").write_bytes(b"x")
    (made / "trainer_state.json").write_text("{}")
    shutil.copytree(made, tmp_path / "other" / "run" / "checkpoint-5")
    assert files_digest(FOLDER, "5", tmp_path) == files_digest(FOLDER, "5", tmp_path / "other") == first
    weights = made / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    weights.write_bytes(changed)
    second = files_digest(FOLDER, "5", tmp_path)
    (made / "config.json").write_text("{}")
    assert len({first, second, files_digest(FOLDER, "5", tmp_path)}) == 3
    weights.unlink()
    with pytest.raises(SourceError, match="no checkpoint '7'"):
        files_digest(FOLDER, "7", tmp_path)
