"""A small report by hand, with names as hostile as a file can bring, and every figure chosen by the test."""

from typing import Any

from roicg.report.data import Books, CheckpointShown, Curve, Division, EdgeShown, Emergence, GraphShown, ModelShown, Point, ReportData, RoiShown, Score

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{data}}\u2028"


def curve(selection: str, phi: tuple[float, ...], *, task: str = "add", reason: str | None = None, total: int = 16) -> Curve:
    """φ at 4, 8, 16 edges, ± .02."""
    points = () if reason else tuple(Point(n, value, value - 0.02, value + 0.02) for n, value in zip((4, 8, 16), phi, strict=True))
    return Curve(task, selection, total, points, None if reason else 0.7, reason, 50, True)


def division(*, above: bool, task: str = "(mixture)") -> Division:
    """Two communities, above the null or not."""
    return Division(task, 1.0, 0.31, 0.1, 0.02 if above else 0.2, 10.5 if above else 1.05, 0.01, above, (("m0.r0", "logits"), ("m0.r1",)))


def graph(**changes: Any) -> GraphShown:
    """A graph of two neuron ROIs; the first has a hostile label."""
    rois = (
        RoiShown("tok", "tok", "tok", 1, "tok", False, None, None),
        RoiShown("m0.r0", "m0", "mlp", 3, HOSTILE, False, True, 9.0),
        RoiShown("m0.r1", "m0", "mlp", 5, "5 neurons", False, True, 9.0),
        RoiShown("logits", "logits", "logits", 1, "logits", False, None, None),
    )
    edges = (EdgeShown(1, "m0.r0", "logits", "in", 0.9, 0.01), EdgeShown(2, "tok", "m0.r0", "in", -0.4, 0.01), EdgeShown(3, "tok", "m0.r1", "in", 0.1, None))
    values: dict[str, Any] = {
        "slot": "hand|toy@9|own|ports",
        "label": "9",
        "partition": "own",
        "n_edges": 16,
        "rois": rois,
        "edges": {"add": edges},
        "curves": (curve("weight", (0.5, 0.95, 1.0)), curve("random", (0.0, 0.2, 1.0))),
        "divisions": (division(above=True),),
        "books": (Books("add", "m0.in", 0.9, 0.001, 5, True, False),),
    }
    return GraphShown(**{**values, **changes})


def model(shown: GraphShown | None = None, *, accuracy: float = 1.0, name: str = "toy", tasks: tuple[str, ...] = ("add",)) -> ModelShown:
    """One checkpoint, whose task is solved from accuracy .9 on."""
    score = Score("add", "logit_difference", 50, 2.0, -1.0, accuracy, accuracy >= 0.9)
    row = Emergence("9", "add", accuracy, accuracy >= 0.9, 8, 16, 0.7, 0.31, 0.1, 10.5, 0.01, True)
    shown = shown or graph()
    return ModelShown(name, tasks, (CheckpointShown("9", 9, (score,), {shown.partition: shown}),), {shown.partition: (row,)})


def report(*models: ModelShown, study: str = "hand") -> ReportData:
    """A report of these models, or of one."""
    return ReportData(study, "ports", models or (model(),))
