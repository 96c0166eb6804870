"""``roicg run --dry-run``: what would run and what it costs; nothing is written, no database is opened."""

import sys
from collections import Counter
from dataclasses import asdict

from roicg.cli.console import print_json, print_rows, say
from roicg.models.placement import chosen_device
from roicg.plan import study_cost

from .study_files import StudyFile
from .study_run import check_asked, chosen_keys


def say_plan(file: StudyFile, model: str | None, checkpoint: str | None, device: str = "auto", *, as_json: bool) -> None:
    """The runs in their order, the device, and a table of costs."""
    study, device = file.load(), chosen_device(device)
    keys = chosen_keys(study, model, checkpoint)
    sys.dont_write_bytecode = True  # a user's metric is imported, and leaves no __pycache__ beside the study
    check_asked(study, keys)
    costs = [asdict(cost) for cost in study_cost(study, Counter(name for name, _ in keys.values()))]
    if as_json:
        print_json({"study": study.study, "runs": list(keys), "device": device, "costs": costs})
        return
    print_rows(costs, title=f"{study.study}: {len(keys)} runs and one for comparison and report")
    say(f"on {device}, in this order: " + ", ".join(keys))
    say("passes are forward and backward through all pairs of a task; rows go to the database; minutes are rough, on one idle core")
