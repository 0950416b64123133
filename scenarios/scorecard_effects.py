"""What a transport project does for people: read from studies of it, as the share of smart lights alone tells nothing.

A study is the results folder of ``bagdar run``; its ``comparison.csv`` has the differences with their intervals.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from networks.faults import InputError
from networks.intake import open_bytes, require_file
from scenarios.compare import (
    CONFIDENCE,
    HIGHER,
    LOWER,
    NETWORK,
    NETWORK_METRICS,
    PASSENGER_METRICS,
    PASSENGERS,
    TRANSIT,
    TRANSIT_METRICS,
    Comparison,
)
from scenarios.indicators import Project
from scenarios.manifest import FILE_NAME as MANIFEST
from scenarios.message import Message, Percent, Signed
from scenarios.tables import read_csv

MEASURES = {
    (NETWORK, "delay_per_scheduled_s"): Message("delay per vehicle"),
    (TRANSIT, "on_time_share"): Message("calls on time"),
    (TRANSIT, "excess_wait_s"): Message("passengers' excess wait"),
    (PASSENGERS, "dwell_mean_s"): Message("dwell at a stop"),
    (PASSENGERS, "run_time_mean_s"): Message("running time of a trip"),
    (PASSENGERS, "wait_mean_s"): Message("passengers' wait"),
}
"""Measures that a city hall is told, by scope and name."""

TOLD = {
    Project.DISPATCHING: ((TRANSIT, "on_time_share"), (TRANSIT, "excess_wait_s")),
    Project.FARE_PAYMENT: ((PASSENGERS, "dwell_mean_s"), (PASSENGERS, "run_time_mean_s"), (TRANSIT, "on_time_share")),
    Project.TRAFFIC_MANAGEMENT: ((NETWORK, "delay_per_scheduled_s"), (TRANSIT, "on_time_share")),
    Project.SMART_STOPS: ((PASSENGERS, "wait_mean_s"), (TRANSIT, "excess_wait_s")),
    Project.EV_CHARGING: ((TRANSIT, "on_time_share"),),
}
"""Which of them belong to a project, those first that its change moves first."""

NOT_MEASURED = {
    Project.DISPATCHING: Message("Not measured: compare punctuality before and after with bagdar replay"),
    Project.FARE_PAYMENT: Message("Not measured: a scenario with [fares] would tell dwell and punctuality"),
    Project.TRAFFIC_MANAGEMENT: Message("Not measured: a scenario that compares smart lights here would tell delay"),
    Project.SMART_STOPS: Message("Not measured: a scenario with [stops] would tell how long passengers wait"),
    Project.EV_CHARGING: Message("Not measured: a scenario with [charging] would tell which trips can be served"),
}

_BETTER = {metric.column: metric.better for metric in (*NETWORK_METRICS, *TRANSIT_METRICS, *PASSENGER_METRICS)}


@dataclass(frozen=True, slots=True)
class Effect:
    """What changed from the first variant of a study to another one.

    Attributes
    ----------
    measure
        What was measured, in ``unit`` (``s`` or ``share``).
    difference, low, high
        Mean difference within pairs of runs and its 95 % interval; NaN for an interval that one pair does not give.
    is_better
        True or False where the interval says so, None where the difference is not distinguishable from chance.
    is_indicative
        Whether there are too few pairs for a claim.
    is_synthetic
        Whether the study's traffic was made up.
    """

    measure: Message
    unit: str
    baseline: str
    variant: str
    difference: float
    low: float
    high: float
    pairs: int
    is_better: bool | None
    is_indicative: bool
    is_synthetic: bool

    @property
    def change(self) -> Message:
        """The difference in its unit; shares differ by percentage points."""
        if self.unit == "share":
            return Message("{points} pp", {"points": self._shown(self.difference)})
        return Message("{seconds} s", {"seconds": self._shown(self.difference)})

    @property
    def interval(self) -> Message | None:
        """The interval in the same unit, None where there is none."""
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            return None
        return Message(
            "{sure} interval {low} to {high}",
            {"sure": Percent(CONFIDENCE), "low": self._shown(self.low), "high": self._shown(self.high)},
        )

    def figures(self) -> dict[str, str | float | bool | None]:
        """The effect ready for JSON."""
        return {
            "unit": self.unit,
            "baseline": self.baseline,
            "variant": self.variant,
            "difference": self.difference,
            "ci95_low": None if math.isnan(self.low) else self.low,
            "ci95_high": None if math.isnan(self.high) else self.high,
            "pairs": self.pairs,
            "is_better": self.is_better,
            "is_synthetic": self.is_synthetic,
        }

    def _shown(self, value: float) -> Signed:
        return Signed(round(100 * value if self.unit == "share" else value, 1))


def read_effects(folders: Mapping[Project, Path]) -> dict[Project, tuple[Effect, ...]]:
    """Effects of projects, each from the results folder of a study.

    Raises
    ------
    InputError
        FILE_MISSING where a folder is none of a study; RESULT_DAMAGED where its manifest cannot be read; as
        :func:`scenarios.tables.read_csv`.
    """
    return {project: tuple(_effects(project, folder)) for project, folder in folders.items()}


def _effects(project: Project, folder: Path) -> Iterator[Effect]:
    rows = {
        (row.variant, row.scope, row.metric): row
        for row in read_csv(require_file(folder / "comparison.csv"), Comparison)
        if row.pairs
    }
    scenario = _scenario(folder)
    is_synthetic = (scenario.get("demand") or {}).get("synthetic") is not None
    for variant in dict.fromkeys(variant for variant, _, _ in rows):
        for scope, metric in TOLD[project]:
            row = rows.get((variant, scope, metric))
            if row is not None:
                yield _effect(row, MEASURES[scope, metric], is_synthetic=is_synthetic)


def _effect(row: Comparison, measure: Message, *, is_synthetic: bool) -> Effect:
    return Effect(
        measure=measure,
        unit=row.unit,
        baseline=row.baseline,
        variant=row.variant,
        difference=row.difference_mean,
        low=row.ci95_low,
        high=row.ci95_high,
        pairs=row.pairs,
        is_better=row.verdict == _BETTER[row.metric] if row.verdict in {LOWER, HIGHER} else None,
        is_indicative=row.indicative,
        is_synthetic=is_synthetic,
    )


def _scenario(folder: Path) -> Mapping[str, Any]:
    """What the study's manifest says of its scenario."""
    with open_bytes(require_file(folder / MANIFEST)) as stream:
        try:
            return dict(json.loads(stream.read())["scenario"])
        except (ValueError, KeyError, TypeError, RecursionError) as fault:
            remedy = "Give the results folder of bagdar run, unchanged"
            raise InputError(
                "RESULT_DAMAGED", f"no manifest ({fault})", file=folder / MANIFEST, remedy=remedy
            ) from fault
