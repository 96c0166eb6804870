"""What ``make bench-peer`` can be held to without the peer: its refusals, and the plain-torch bound that both processes share."""

import ast
from pathlib import Path

import pytest
import torch

from roicg.models.forward import logits
from tests.bench.bench_attribution import INPUTS
from tests.bench.peer import plain, run
from tests.bench.shapes import bare_and_lens, sizes


def test_without_peer_one_line_says_what_to_give() -> None:
    with pytest.raises(SystemExit, match=r"^PEER is not set: clone the EAP-IG package .* and run `make bench-peer PEER=/path/to/EAP-IG`$"):
        run.main("")


def test_a_folder_without_the_package_is_named(tmp_path: Path) -> None:
    why = run.refusal(str(tmp_path))
    assert why.startswith(f"PEER={tmp_path} does not hold the EAP-IG package")
    assert len(why.splitlines()) == 1
    (tmp_path / "src" / "eap").mkdir(parents=True)
    (tmp_path / "src" / "eap" / "attribute.py").touch()
    assert run.refusal(str(tmp_path)) == ""


def test_the_bound_is_the_lens_with_the_same_weights() -> None:
    module, lens = bare_and_lens(sizes(2, 16, 4), length=6)
    bound = plain.Plain(module.state_dict(), heads=4)
    tokens = torch.arange(12).reshape(2, 6)
    torch.testing.assert_close(bound(bound.tok_embed.weight[tokens]), logits(lens, tokens), rtol=1e-4, atol=1e-5)
    plain.bound_call(bound, tokens, times=1)()
    assert all(parameter.grad is None for parameter in bound.parameters())


def test_both_sides_take_the_same_steps_of_the_same_rule() -> None:
    assert (INPUTS.path, INPUTS.rule, INPUTS.steps) == ("inputs", "left", plain.STEPS)


@pytest.mark.parametrize("name", ["plain.py", "theirs.py", "../timing.py"])
def test_what_the_peers_process_runs_imports_nothing_of_roicg(name: str) -> None:
    tree = ast.parse((Path(run.__file__).parent / name).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)} | {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert not [module for module in modules if module and module.split(".")[0] == "roicg"]
    assert {module for module in modules if module and module.startswith("tests")} <= {"tests.bench.memory", "tests.bench.peer.plain", "tests.bench.timing"}
