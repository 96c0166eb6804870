"""A method from an installed package: ten lines and their metadata in a folder on PYTHONPATH, used by a study in a fresh process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from roicg.core.errors import StudyError
from roicg.rois.methods import find_method

ROOT = Path(__file__).parents[3]

PLUG_IN = '''
"""Groups by strength: the features most alike to all others first."""

import numpy as np


def by_strength(similarity, k, seed):
    labels = np.empty(len(similarity), dtype=int)
    for group, members in enumerate(np.array_split(np.argsort(-similarity.sum(axis=1)), k)):
        labels[members] = group
    return labels
'''

SCRIPT = """
import json, sys
from pathlib import Path
from roicg import stages
from roicg.core.settings import Study
from roicg.places import Place

folder = Path(sys.argv[1])
source = {"kind": "trained", "recipe": "modadd", "config": {"p": 7, "d_model": 16, "d_mlp": 32, "n_heads": 2}, "checkpoints": [0]}
tasks = [{"name": "add", "prompts": {"kind": "generated", "recipe": "modadd.7", "n": 8}}]
study = Study(study="s", models=[{"name": "m", "source": source}], tasks=tasks, rois={"method": "by-strength", "level": 4, "null_draws": 2})
place = Place(study, "m", "0", folder)
partition = stages.own_rois(place)
print(json.dumps([stages.partition_stage(place)["rois/m0"], partition.settings["method"], sorted(roi.size for roi in partition.rois if roi.site == "m0")]))
"""


def test_a_study_uses_the_method_of_an_installed_package(tmp_path: Path) -> None:
    """Seen to fail without the entry point: the method is not known."""
    site = tmp_path / "site"
    (site / "strength-1.0.dist-info").mkdir(parents=True)
    (site / "strength.py").write_text(PLUG_IN, encoding="utf-8")
    (site / "strength-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: strength\nVersion: 1.0\n", encoding="utf-8")
    (site / "strength-1.0.dist-info" / "entry_points.txt").write_text("[roicg.rois]\nby-strength = strength:by_strength\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(site), str(ROOT)))}
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    groups, method, sizes = json.loads(done.stdout.splitlines()[-1])
    assert (groups, method) == (4, "by-strength")
    assert len(sizes) in (4, 5)  # the fifth is the rest
    assert sum(sizes) == 32
    with pytest.raises(StudyError, match="'by-strength' is not known; choose one of agglomerative, kmeans, leiden, spectral"):
        find_method("by-strength")
