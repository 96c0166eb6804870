from pathlib import Path

from roicg.core.settings import ModelSettings, TaskSettings
from roicg.models.fingerprint import checkpoint_fingerprint, prompts_fingerprint


def model(**source: object) -> ModelSettings:
    return ModelSettings.model_validate({"name": "m", "source": source})


def test_other_bytes_are_another_checkpoint(tmp_path: Path) -> None:
    native = model(kind="native", config={}, checkpoints={"final": "a.safetensors"})
    assert checkpoint_fingerprint(native, "final", tmp_path, tmp_path) is None
    (tmp_path / "a.safetensors").write_bytes(b"one")
    first = checkpoint_fingerprint(native, "final", tmp_path, tmp_path)
    assert first == checkpoint_fingerprint(native, "final", tmp_path, tmp_path)
    (tmp_path / "a.safetensors").write_bytes(b"two")
    assert first != checkpoint_fingerprint(native, "final", tmp_path, tmp_path)
    assert checkpoint_fingerprint(native, "other", tmp_path, tmp_path) is None


def test_what_is_not_trained_yet_and_a_hub_model_have_none(tmp_path: Path) -> None:
    assert checkpoint_fingerprint(model(kind="trained", recipe="multitask", checkpoints=[0, 5]), "5", tmp_path, tmp_path) is None
    assert checkpoint_fingerprint(model(kind="hf", name="some/model"), "main", tmp_path, tmp_path) is None


def test_a_changed_prompt_file_is_noticed(tmp_path: Path) -> None:
    task = TaskSettings.model_validate({"name": "t", "prompts": {"kind": "file", "path": "p.jsonl"}})
    assert prompts_fingerprint(task, tmp_path) is None
    (tmp_path / "p.jsonl").write_text("{}")
    first = prompts_fingerprint(task, tmp_path)
    (tmp_path / "p.jsonl").write_text("{ }")
    assert first != prompts_fingerprint(task, tmp_path)
    assert prompts_fingerprint(TaskSettings.model_validate({"name": "t", "prompts": {"kind": "generated", "recipe": "modadd"}}), tmp_path) == ""
