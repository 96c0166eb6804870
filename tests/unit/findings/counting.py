"""A finding that counts its own measurements: what a user's finding looks like, and a witness of what is measured again."""

from dataclasses import dataclass, field

from roicg.core.settings import Study
from roicg.core.tables import Table
from roicg.findings.finding import Finding, Measured, Row
from roicg.places import Place


@dataclass
class Counting:
    """``value`` is what every measurement says; ``calls`` the places asked."""

    value: float = 0.5
    calls: list[str] = field(default_factory=list)

    @property
    def finding(self) -> Finding:
        return Finding("counting", "How often was this asked?", self.measure, self.tables)

    def measure(self, place: Place, store: object) -> list[Row]:
        self.calls.append(place.label)
        return [{"label": place.label, "value": self.value}]

    def tables(self, study: Study, measured: object) -> list[Table]:
        assert isinstance(measured, list)
        rows: list[Measured] = measured
        return [
            Table("values", "Values", ("model", "step", "value"), tuple((one.model, one.step, one.rows[0]["value"]) for one in rows), f"Study {study.study}.")
        ]
