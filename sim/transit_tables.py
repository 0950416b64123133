"""What timetabled vehicles did in a run, as rows: stop visits, trips, headways, and the run's own measures.

Rows follow from the plan and the run alone. Columns of visits and trips bear the names that TIDES gives them.

A call is judged once its time to be on time is over: with the end of the simulation some are cut off, and if those that
came before it counted and those still to come did not, the late ones would be missed. It is ``not due`` until then.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.on_time import ON_TIME_RULES, OnTimeRule
from networks.network import FloatArray, IntArray
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

BoolArray = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]

DEFAULT_RULE = ON_TIME_RULES["default"]


@dataclass(frozen=True, slots=True)
class StopVisit:
    """A call of a trip as a row of ``stop_visits.csv``.

    Times are ISO 8601 in the feed's zone, empty where there is none. ``trip_stop_sequence`` counts the calls of a
    performed trip from 1, ``scheduled_stop_sequence`` is the feed's. ``distance_m`` is the way since the first simulated
    call of the trip's part. Deviations are actual minus scheduled, late is positive; ``deviation_s`` is the one that
    judges: of the arrival at the trip's end, of the departure elsewhere.

    ``punctuality`` is early, on time, late, missing or not due; ``quality`` observed, interpolated (the feed leaves the
    scheduled time blank) or missing; ``schedule_relationship`` Scheduled or Missing.
    """

    variant: str
    seed: int
    service_date: str
    trip_id_performed: str
    trip_stop_sequence: int
    scheduled_stop_sequence: int
    pattern_id: str
    route_id: str
    direction_id: int | None
    vehicle_id: str
    stop_id: str
    timepoint: bool
    schedule_arrival_time: str
    schedule_departure_time: str
    actual_arrival_time: str
    actual_departure_time: str
    dwell_s: float
    distance_m: float
    arrival_deviation_s: float
    departure_deviation_s: float
    deviation_s: float
    punctuality: str
    quality: str
    schedule_relationship: str


@dataclass(frozen=True, slots=True)
class TripRow:
    """A trip, or the part of it that lies on unbroken streets, as a row of ``trips.csv``.

    ``part`` tells the parts of one trip apart. It starts with the departure from its first call and ends with the
    arrival at its last one; run times are from the one to the other. ``mean_deviation_s`` and ``max_deviation_s`` are
    over the calls that were served. ``status`` is finished, under way, never started or not due.
    """

    variant: str
    seed: int
    service_date: str
    trip_id_performed: str
    trip_id_scheduled: str
    part: int
    pattern_id: str
    route_id: str
    direction_id: int | None
    vehicle_id: str
    status: str
    calls: int
    calls_served: int
    schedule_trip_start: str
    schedule_trip_end: str
    actual_trip_start: str
    actual_trip_end: str
    scheduled_run_time_s: float
    run_time_s: float
    start_deviation_s: float
    end_deviation_s: float
    mean_deviation_s: float
    max_deviation_s: float


@dataclass(frozen=True, slots=True)
class HeadwayRow:
    """A departure as a row of ``headways.csv``: the time since the one before of the same route, direction and stop.

    The ends of trips are left out: nobody waits there. What is not known (no departure before it in the run, or in the
    timetable) is empty, and such a departure is neither bunched nor a gap.
    """

    variant: str
    seed: int
    route_id: str
    direction_id: int | None
    stop_id: str
    trip_id_performed: str
    departure_time: str
    headway_s: float
    scheduled_headway_s: float
    bunched: bool
    gap: bool


@dataclass(frozen=True, slots=True)
class TransitMeasures:
    """Timetabled vehicles in one run as a row of ``transit_runs.csv``.

    Shares of calls are of those that were due, missing ones among them; ``calls_served`` of those came before the end.
    Deviations are over the same calls. Headway figures are over all departures of the run, whatever their route:
    ``headway_cv`` is sd(h - H) / mean(H), ``excess_wait_s`` the mean wait of passengers who come at random, less what
    it were by the timetable. Not a number where nothing can be said.
    """

    variant: str
    seed: int
    calls_due: int
    calls_served: int
    on_time_share: float
    early_share: float
    late_share: float
    missing_share: float
    deviation_mean_s: float
    deviation_p10_s: float
    deviation_p50_s: float
    deviation_p90_s: float
    headways: int
    headway_cv: float
    headway_level_of_service: str
    excess_wait_s: float
    bunched_share: float
    gap_share: float


@dataclass(frozen=True, slots=True, eq=False)
class JudgedCalls:
    """The calls of a plan as a run served them, shape (calls,) each.

    Attributes
    ----------
    leg
        Row of the leg.
    position
        Values of :class:`gtfs.on_time.Position`.
    scheduled_s, deviation_s
        Scheduled time that a call is judged by, and actual minus that, NaN where there is none.
    is_due
        Whether the time to be on time was over before the simulation's end.
    punctuality
        Values of :class:`gtfs.on_time.Punctuality`; those of calls that are not due say nothing.
    """

    leg: IntArray
    position: Integers
    scheduled_s: FloatArray
    deviation_s: FloatArray
    is_due: BoolArray
    punctuality: Integers


def judged_calls(plan: TransitPlan, run: TransitRun, rule: OnTimeRule = DEFAULT_RULE) -> JudgedCalls:
    """Judge every call of a plan by a rule."""
    raise NotImplementedError


def stop_visits(
    plan: TransitPlan, run: TransitRun, variant: str, seed: int, rule: OnTimeRule = DEFAULT_RULE
) -> tuple[StopVisit, ...]:
    """A row for each call of the plan, in its order."""
    raise NotImplementedError


def trip_rows(plan: TransitPlan, run: TransitRun, variant: str, seed: int) -> tuple[TripRow, ...]:
    """A row for each leg of the plan, in its order."""
    raise NotImplementedError


def headway_rows(plan: TransitPlan, run: TransitRun, variant: str, seed: int) -> tuple[HeadwayRow, ...]:
    """A row for each departure, by route, direction and stop, and there by time."""
    raise NotImplementedError


def transit_measures(
    plan: TransitPlan, run: TransitRun, variant: str, seed: int, rule: OnTimeRule = DEFAULT_RULE
) -> TransitMeasures:
    """The run's row."""
    raise NotImplementedError
