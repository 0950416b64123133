"""What changed from the first variant to each other one, seed by seed, and how sure that is.

Each seed gives the same traffic to every variant, so a variant is judged by its differences within the seeds: their
mean, and the interval mean ± t·s/√n with the 97.5 % point t of Student's distribution of n less one degrees of freedom
(Student 1908; any textbook under "paired t interval"). A seed that did not finish on both sides makes no pair and is
counted. A gridlocked run has a delay like any other; it stays in and is counted.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from sim.charging_measures import ChargingMeasures
from sim.measures import JunctionMeasures, RunMeasures
from sim.passenger_measures import PassengerMeasures
from sim.stop_measures import StopMeasures
from sim.transit_tables import TransitMeasures

NETWORK = "network"
"""Scope of a comparison of whole runs."""

TRANSIT = "transit"
"""Scope of a comparison of the timetabled vehicles of whole runs."""

PASSENGERS = "passengers"
"""Scope of a comparison of those who board them."""

STOPS = "stops"
"""Scope of a comparison of stops."""

CHARGING = "charging"
"""Scope of a comparison of electric buses; any other scope is a junction's id."""

FINISHED = "finished"
"""Status of a run that has measures."""

PAIRS_FOR_A_CLAIM = 10
"""With fewer paired runs a result is indicative only."""

CONFIDENCE = 0.95

LOWER = "lower"
HIGHER = "higher"
INDISTINCT = "not distinguishable"
ONE_PAIR = "one pair: no interval"
NO_PAIR = "no pair"


@dataclass(frozen=True, slots=True)
class Metric:
    """A column that is compared: its unit, its name for people, and which way is better (None: neither)."""

    column: str
    unit: str
    label: str
    better: Literal["lower", "higher"] | None = "lower"


NETWORK_METRICS = (
    Metric("delay_per_scheduled_s", "s", "delay per scheduled vehicle"),
    Metric("time_loss_s", "s", "time lost on the road per vehicle"),
    Metric("time_loss_p95_s", "s", "time lost by the slowest 5 % (or more)"),
    Metric("depart_delay_s", "s", "wait for entry per scheduled vehicle"),
    Metric("waiting_s", "s", "time at a standstill per vehicle"),
    Metric("stops", "1/veh", "stops per vehicle"),
    Metric("duration_s", "s", "time on the road per vehicle"),
    Metric("arrived", "veh", "vehicles that arrived", "higher"),
    Metric("never_inserted", "veh", "vehicles that never entered"),
    Metric("teleports", "veh", "vehicles removed from a jam"),
    Metric("collisions", "events", "collisions"),
    Metric("emergency_braking", "events", "emergency brakings"),
)

JUNCTION_METRICS = (
    Metric("delay_s", "s", "delay per vehicle"),
    Metric("queue_mean_veh", "veh", "mean queue"),
    Metric("stops_per_veh", "1/veh", "stops per vehicle"),
    Metric("volume_veh_per_h", "veh/h", "vehicles that passed", None),
)

TRANSIT_METRICS = (
    Metric("on_time_share", "share", "calls on time, of those due", "higher"),
    Metric("early_share", "share", "calls too early", "lower"),
    Metric("late_share", "share", "calls too late", "lower"),
    Metric("missing_share", "share", "calls that never came", "lower"),
    Metric("deviation_mean_s", "s", "mean deviation from the timetable", None),
    Metric("deviation_p90_s", "s", "deviation that 90 % of the calls stay below", None),
    Metric("headway_cv", "ratio", "variation of headways", "lower"),
    Metric("excess_wait_s", "s", "excess wait of passengers", "lower"),
    Metric("bunched_share", "share", "departures bunched with the one ahead", "lower"),
    Metric("gap_share", "share", "departures after a gap", "lower"),
)

PASSENGER_METRICS = (
    Metric("boardings", "passengers", "passengers who boarded", "higher"),
    Metric("boardings_per_call", "passengers", "passengers who boarded at a call", None),
    Metric("dwell_mean_s", "s", "dwell at a call"),
    Metric("dwell_by_table_s", "s", "dwell by the table: doors and each passenger"),
    Metric("run_time_mean_s", "s", "running time of a trip from end to end"),
    Metric("wait_mean_s", "s", "wait of a passenger"),
    Metric("wait_p90_s", "s", "wait that 90 % of the passengers stay below"),
)

CHARGING_METRICS = (
    Metric("electric_vehicles", "veh", "electric buses", None),
    Metric("energy_kwh", "kWh", "energy of electric buses"),
    Metric("kwh_per_km", "kWh/km", "energy for each kilometre of trips"),
    Metric("charged_kwh", "kWh", "energy from chargers", None),
    Metric("trips_unserved", "trips", "trips that a battery is not enough for"),
    Metric("blocks_failed", "veh", "electric buses with such a trip"),
    Metric("charge_least", "share", "least state of charge", "higher"),
    Metric("charge_end_mean", "share", "state of charge at the end", "higher"),
)

STOP_METRICS = (
    Metric("board_error_5min_s", "s", "error of boards 5 min before the arrival"),
    Metric("board_error_10min_s", "s", "error of boards 10 min before the arrival"),
    Metric("any_stop_error_5min_s", "s", "the same, were there a board at every stop"),
    Metric("any_stop_error_10min_s", "s", "the same 10 min before, at every stop"),
    Metric("smart_boardings_share", "share", "boardings at smart stops", "higher"),
    Metric("waiting_h", "h", "time that passengers waited"),
    Metric("enclosed_waiting_h", "h", "of it at enclosed stops", None),
    Metric("board_waiting_h", "h", "of it at stops with a board", None),
)

Measured = RunMeasures | JunctionMeasures | TransitMeasures | PassengerMeasures | StopMeasures | ChargingMeasures


@dataclass(frozen=True, slots=True)
class Comparison:
    """A row of ``comparison.csv``: one measure, at one place, of one variant against the first one.

    Means are over the pairs; the difference is variant minus baseline, in ``unit``, and the relative one is its share
    of the baseline's mean. ``pairs_missing`` counts seeds without a value on both sides; ``indicative`` marks fewer
    than ten pairs. The interval is that of one comparison: among many, one in twenty excludes zero by chance.
    ``baseline_sensing`` and ``variant_sensing`` are what the controllers of both saw.
    """

    scope: str
    name: str
    metric: str
    unit: str
    baseline: str
    variant: str
    pairs: int
    pairs_missing: int
    baseline_gridlocked: int
    variant_gridlocked: int
    baseline_mean: float
    variant_mean: float
    difference_mean: float
    ci95_low: float
    ci95_high: float
    relative_difference: float
    verdict: str
    indicative: bool
    baseline_sensing: str = ""
    variant_sensing: str = ""


def compare(
    runs: Sequence[RunMeasures],
    junctions: Sequence[JunctionMeasures],
    variants: Sequence[str],
    transit: Sequence[TransitMeasures] = (),
    passengers: Sequence[PassengerMeasures] = (),
    stops: Sequence[StopMeasures] = (),
    batteries: Sequence[ChargingMeasures] = (),
) -> tuple[Comparison, ...]:
    """Compare each variant with the first of ``variants``: whole runs, buses, passengers, stops, batteries, junctions.

    The order of the rows given does not matter.
    """
    at_buses = (TRANSIT, TRANSIT_METRICS, transit), (PASSENGERS, PASSENGER_METRICS, passengers)
    apart = tuple(
        part for part in (*at_buses, (STOPS, STOP_METRICS, stops), (CHARGING, CHARGING_METRICS, batteries)) if part[2]
    )
    study = _Study(runs, junctions, apart)
    baseline, *others = variants
    scopes: list[tuple[str, Sequence[Metric]]] = [(NETWORK, NETWORK_METRICS)]
    scopes += [(scope, metrics) for scope, metrics, _ in apart]
    scopes += [(junction, JUNCTION_METRICS) for junction in sorted(study.names)]
    return tuple(
        study.comparison(scope, metric, baseline, variant)
        for variant in others
        for scope, metrics in scopes
        for metric in metrics
    )


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of independent values with its 95 % t interval (low, high); the interval of fewer than two is NaN."""
    if not values:
        return math.nan, math.nan, math.nan
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return mean, math.nan, math.nan
    margin = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return mean, float(mean - margin), float(mean + margin)


class _Study:
    """Values by variant, place and column, each a mapping from seed to value; failed runs and NaN left out."""

    def __init__(
        self,
        runs: Sequence[RunMeasures],
        junctions: Sequence[JunctionMeasures],
        apart: Sequence[tuple[str, Sequence[Metric], Sequence[Measured]]],
    ) -> None:
        finished = {(run.variant, run.seed) for run in runs if run.status == FINISHED}
        at_junctions = [row for row in junctions if (row.variant, row.seed) in finished]
        self.names = {row.junction: row.name for row in at_junctions}
        self._seeds = _by_variant(runs)
        self._sensing = {run.variant: run.sensing for run in runs}
        self._gridlocked = _by_variant(run for run in runs if run.gridlocked)
        self._values: dict[tuple[str, str, str], dict[int, float]] = {}
        for run in runs:
            if run.status == FINISHED:
                self._keep(run, NETWORK, NETWORK_METRICS)
        for scope, metrics, rows in apart:
            for one in rows:
                if (one.variant, one.seed) in finished:
                    self._keep(one, scope, metrics)
        for row in at_junctions:
            self._keep(row, row.junction, JUNCTION_METRICS)

    def _keep(self, row: Measured, scope: str, metrics: Iterable[Metric]) -> None:
        for metric in metrics:
            value = float(getattr(row, metric.column))
            if math.isfinite(value):
                self._values.setdefault((row.variant, scope, metric.column), {})[row.seed] = value

    def comparison(self, scope: str, metric: Metric, baseline: str, variant: str) -> Comparison:
        before = self._values.get((baseline, scope, metric.column), {})
        after = self._values.get((variant, scope, metric.column), {})
        paired = sorted(before.keys() & after.keys())
        planned = self._seeds.get(baseline, set()) | self._seeds.get(variant, set())
        difference, low, high = mean_interval([after[seed] - before[seed] for seed in paired])
        baseline_mean, _, _ = mean_interval([before[seed] for seed in paired])
        variant_mean, _, _ = mean_interval([after[seed] for seed in paired])
        return Comparison(
            scope=scope,
            name=self.names.get(scope, ""),
            metric=metric.column,
            unit=metric.unit,
            baseline=baseline,
            variant=variant,
            pairs=len(paired),
            pairs_missing=len(planned) - len(paired),
            baseline_gridlocked=len(self._gridlocked.get(baseline, set()) & set(paired)),
            variant_gridlocked=len(self._gridlocked.get(variant, set()) & set(paired)),
            baseline_mean=baseline_mean,
            variant_mean=variant_mean,
            difference_mean=difference,
            ci95_low=low,
            ci95_high=high,
            relative_difference=difference / baseline_mean if paired and baseline_mean else math.nan,
            verdict=_verdict(len(paired), low, high),
            indicative=len(paired) < PAIRS_FOR_A_CLAIM,
            baseline_sensing=self._sensing.get(baseline, ""),
            variant_sensing=self._sensing.get(variant, ""),
        )


def _by_variant(runs: Iterable[RunMeasures]) -> dict[str, set[int]]:
    seeds: dict[str, set[int]] = {}
    for run in runs:
        seeds.setdefault(run.variant, set()).add(run.seed)
    return seeds


def _verdict(pairs: int, low: float, high: float) -> str:
    if pairs == 0:
        return NO_PAIR
    if pairs == 1:
        return ONE_PAIR
    if high < 0:
        return LOWER
    return HIGHER if low > 0 else INDISTINCT
