"""How a checkpoint does on its tasks: metric at both ends and accuracy, per split."""

from collections.abc import Sequence

import torch

from roicg.core.graph import TaskScore
from roicg.core.prompts import PromptSet, TaskPrompts
from roicg.models.batches import batches
from roicg.models.forward import logits_at
from roicg.models.lens import Lens
from roicg.models.metrics import accuracy, metric
from roicg.models.pairs import run_pair

SOLVED = 0.9
"""The gate: below this accuracy a task gets its graph and its curves, but no claim counts it."""


def score_tasks(lens: Lens, tasks: Sequence[TaskPrompts], batch_size: int = 256) -> tuple[TaskScore, ...]:
    """Scores of every task on splits ``edges`` and ``eval``; ``solved`` is judged on each split by itself."""
    return tuple(_score(lens, task, prompts, batch_size) for task in tasks for prompts in (task.edges, task.eval))


@torch.no_grad()
def _score(lens: Lens, task: TaskPrompts, prompts: PromptSet, batch_size: int) -> TaskScore:
    clean, corrupted, correct = [], [], []
    for batch in batches(prompts, batch_size, lens.device):
        run = run_pair(lens, batch, metric(task.metric))
        assert run.clean.final is not None
        clean.append(run.clean_metric.double())
        corrupted.append(run.corrupted_metric.double())
        correct.append(accuracy(logits_at(lens, run.clean.final, batch.positions), batch.answers, batch.wrong).double())
    ends = [float(torch.cat(column).mean()) for column in (clean, corrupted)]
    right = float(torch.cat(correct).mean())
    return TaskScore(task.task, task.metric, prompts.split, len(prompts.pairs), ends[0], ends[1], right, solved=right >= SOLVED, prompts_digest=prompts.id)
