"""What a study would cost, from its file alone."""

from roicg.core.settings import Study
from roicg.findings.registry import FINDINGS, find_finding
from roicg.plan import study_cost


def study(**more: object) -> Study:
    model = {"name": "m", "source": {"kind": "trained", "recipe": "multitask", "checkpoints": [0, 100]}, "tasks": ["a", "b"]}
    tasks = [{"name": name, "prompts": {"kind": "generated", "recipe": f"multitask.{recipe}"}} for name, recipe in (("a", "add"), ("b", "max"))]
    return Study.model_validate({"study": "s", "models": [model], "tasks": tasks, **more})


def minutes(study: Study, checkpoints: int = 2) -> float:
    (cost,) = study_cost(study, {"m": checkpoints})
    assert cost.minutes is not None
    return cost.minutes


def test_findings_cost_what_they_say_per_checkpoint_and_task() -> None:
    """Seen to fail without the findings: a study that asks for hours of sets would promise minutes."""
    plain = minutes(study())
    for name in FINDINGS:
        seconds = find_finding(name).seconds
        assert seconds > 0
        assert abs(minutes(study(findings={"ask": [name]})) - plain - 2 * 2 * seconds / 60) <= 0.1 + 1e-9
    assert minutes(study(findings={"ask": ["separation"]}), 1) < minutes(study(findings={"ask": ["separation"]}))


def test_more_of_anything_costs_more() -> None:
    assert minutes(study(partitions=["own"]), 1) < minutes(study(), 2)
    assert minutes(study(attribution={"path": "clean"})) < minutes(study()) <= minutes(study(attribution={"steps": 10}))
