"""What timetabled vehicles did in a run, as rows: stop visits, trips, headways, and the run's own measures.

Rows follow from the plan and the run alone. Columns of visits and trips bear the names that TIDES gives them.

A call is judged once its time to be on time is over: with the end of the simulation some are cut off, and if those that
came before it counted and those still to come did not, the late ones would be missed. It is ``not due`` until then.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from gtfs.clock import local_text, origin_epoch_s
from gtfs.headways import Headways, bunched, gaps, headway_adherence, headways_of, place_rows
from gtfs.on_time import (
    ON_TIME_RULES,
    OnTimeRule,
    Position,
    Punctuality,
    judged_deviation_s,
    on_time_counts,
    punctuality,
)
from networks.network import FloatArray, IntArray
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

BoolArray = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer]

DEFAULT_RULE = ON_TIME_RULES["default"]
WORDS = {
    Punctuality.EARLY: "early",
    Punctuality.ON_TIME: "on time",
    Punctuality.LATE: "late",
    Punctuality.MISSING: "missing",
}
NOT_DUE = "not due"


@dataclass(frozen=True, slots=True)
class StopVisit:
    """A call of a trip as a row of ``stop_visits.csv``.

    Times are ISO 8601 in the feed's zone, empty where there is none. ``trip_stop_sequence`` counts the calls of a
    performed trip from 1, ``scheduled_stop_sequence`` is the feed's. ``dwell`` (s) and ``distance`` (m), the way since
    the first call of the trip's part, have the names of TIDES. Deviations are actual minus scheduled, late is positive;
    ``deviation_s`` is the one that judges: of the arrival at the trip's end, of the departure elsewhere.

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
    dwell: float
    distance: float
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
    """Judge every call of a plan by a rule.

    A vehicle that has come to a call and not yet left when the simulation ends is late there, if the call is due at
    all: its time to be on time is over.
    """
    calls = plan.calls
    position = np.select([calls.is_end, calls.is_origin], [Position.END, Position.ORIGIN], Position.MIDDLE)
    scheduled_s = np.where(calls.is_end, calls.arrival_s, calls.departure_s)
    deviation_s = judged_deviation_s(position, calls.arrival_s, calls.departure_s, run.arrival_s, run.departure_s)
    is_missing = np.isnan(run.arrival_s)
    found = punctuality(rule, position, deviation_s, is_missing)
    found[np.isnan(deviation_s) & ~is_missing] = Punctuality.LATE
    return JudgedCalls(
        leg=_leg_of_call(plan),
        position=position,
        scheduled_s=scheduled_s,
        deviation_s=deviation_s,
        is_due=scheduled_s + rule.bounds_s[position, 1] < run.end_s,
        punctuality=found,
    )


def stop_visits(
    plan: TransitPlan, run: TransitRun, variant: str, seed: int, rule: OnTimeRule = DEFAULT_RULE
) -> tuple[StopVisit, ...]:
    """A row for each call of the plan, in its order."""
    calls, legs = plan.calls, plan.legs
    judged = judged_calls(plan, run, rule)
    came = np.isfinite(run.arrival_s)
    text = _moments(plan)
    columns = zip(
        judged.leg.tolist(),
        _sequence_in_trip(plan).tolist(),
        calls.stop_sequence.tolist(),
        calls.stop_ids,
        calls.timepoint.tolist(),
        calls.arrival_s.tolist(),
        calls.departure_s.tolist(),
        run.arrival_s.tolist(),
        run.departure_s.tolist(),
        calls.way_m.tolist(),
        judged.deviation_s.tolist(),
        _words(judged),
        _qualities(calls.is_interpolated, came),
        strict=True,
    )
    return tuple(
        StopVisit(
            variant=variant,
            seed=seed,
            service_date=legs.service_dates[leg],
            trip_id_performed=legs.trip_ids[leg],
            trip_stop_sequence=number,
            scheduled_stop_sequence=sequence,
            pattern_id=legs.pattern_ids[leg],
            route_id=legs.route_ids[leg],
            direction_id=_direction(plan, leg),
            vehicle_id=plan.vehicle_ids[int(legs.vehicle[leg])],
            stop_id=stop_id,
            timepoint=timepoint,
            schedule_arrival_time=text(planned_s),
            schedule_departure_time=text(leaving_s),
            actual_arrival_time=text(arrival_s),
            actual_departure_time=text(departure_s),
            dwell=departure_s - arrival_s,
            distance=way_m,
            arrival_deviation_s=arrival_s - planned_s,
            departure_deviation_s=departure_s - leaving_s,
            deviation_s=deviation_s,
            punctuality=word,
            quality=quality,
            schedule_relationship="Missing" if word == WORDS[Punctuality.MISSING] else "Scheduled",
        )
        for (
            leg,
            number,
            sequence,
            stop_id,
            timepoint,
            planned_s,
            leaving_s,
            arrival_s,
            departure_s,
            way_m,
            deviation_s,
            word,
            quality,
        ) in columns
    )


def trip_rows(plan: TransitPlan, run: TransitRun, variant: str, seed: int) -> tuple[TripRow, ...]:
    """A row for each leg of the plan, in its order."""
    deviation_s, text = judged_calls(plan, run).deviation_s, _moments(plan)
    return tuple(_trip_row(plan, run, leg, deviation_s, text, variant, seed) for leg in range(len(plan.legs)))


def _trip_row(
    plan: TransitPlan,
    run: TransitRun,
    leg: int,
    deviation_s: FloatArray,
    text: Callable[[float], str],
    variant: str,
    seed: int,
) -> TripRow:
    legs, calls = plan.legs, plan.calls
    first, last = int(legs.call_start[leg]), int(legs.call_start[leg + 1]) - 1
    starts_s, ends_s = float(calls.departure_s[first]), float(calls.arrival_s[last])
    started_s, ended_s = float(run.departure_s[first]), float(run.arrival_s[last])
    served = np.isfinite(run.arrival_s[first : last + 1])
    known_s = deviation_s[first : last + 1][np.isfinite(deviation_s[first : last + 1])]
    return TripRow(
        variant=variant,
        seed=seed,
        service_date=legs.service_dates[leg],
        trip_id_performed=legs.trip_ids[leg],
        trip_id_scheduled=legs.scheduled_trip_ids[leg],
        part=int(legs.number[leg]),
        pattern_id=legs.pattern_ids[leg],
        route_id=legs.route_ids[leg],
        direction_id=_direction(plan, leg),
        vehicle_id=plan.vehicle_ids[int(legs.vehicle[leg])],
        status=_status(served, is_due=bool(run.due[first])),
        calls=len(served),
        calls_served=int(served.sum()),
        schedule_trip_start=text(starts_s),
        schedule_trip_end=text(ends_s),
        actual_trip_start=text(started_s),
        actual_trip_end=text(ended_s),
        scheduled_run_time_s=ends_s - starts_s,
        run_time_s=ended_s - started_s,
        start_deviation_s=started_s - starts_s,
        end_deviation_s=ended_s - ends_s,
        mean_deviation_s=float(known_s.mean()) if len(known_s) else np.nan,
        max_deviation_s=float(known_s.max()) if len(known_s) else np.nan,
    )


def _status(served: BoolArray, *, is_due: bool) -> str:
    if served[-1]:
        return "finished"
    if served.any():
        return "under way"
    return "never started" if is_due else NOT_DUE


def headway_rows(plan: TransitPlan, run: TransitRun, variant: str, seed: int) -> tuple[HeadwayRow, ...]:
    """A row for each departure, by route, direction and stop, and there by time."""
    rows, place = _waiting_places(plan)
    found = headways_of(place, plan.calls.departure_s[rows], run.departure_s[rows])
    is_bunched, is_gap = bunched(found), gaps(found)
    left = np.isfinite(run.departure_s[rows])
    order = np.lexsort((rows, run.departure_s[rows], place))
    leg, text = _leg_of_call(plan)[rows], _moments(plan)
    return tuple(
        HeadwayRow(
            variant=variant,
            seed=seed,
            route_id=plan.legs.route_ids[leg[row]],
            direction_id=_direction(plan, int(leg[row])),
            stop_id=plan.calls.stop_ids[rows[row]],
            trip_id_performed=plan.legs.trip_ids[leg[row]],
            departure_time=text(float(run.departure_s[rows[row]])),
            headway_s=float(found.actual_s[row]),
            scheduled_headway_s=float(found.scheduled_s[row]),
            bunched=bool(is_bunched[row]),
            gap=bool(is_gap[row]),
        )
        for row in order[left[order]].tolist()
    )


def transit_measures(
    plan: TransitPlan, run: TransitRun, variant: str, seed: int, rule: OnTimeRule = DEFAULT_RULE
) -> TransitMeasures:
    """The run's row."""
    judged = judged_calls(plan, run, rule)
    counts = on_time_counts(judged.punctuality[judged.is_due])
    due = counts.judged
    known_s = judged.deviation_s[judged.is_due & np.isfinite(judged.deviation_s)]
    p10_s, p50_s, p90_s = np.percentile(known_s, (10, 50, 90)).tolist() if len(known_s) else [np.nan] * 3
    rows, place = _waiting_places(plan)
    due_rows = run.due[rows]
    scheduled_s = plan.calls.departure_s[rows]
    found = _of(headways_of(place, scheduled_s, run.departure_s[rows]), due_rows)
    regularity = headway_adherence(found, np.zeros(int(due_rows.sum()), dtype=np.int32))
    compared = regularity[0].headways if regularity else 0
    return TransitMeasures(
        variant=variant,
        seed=seed,
        calls_due=due,
        calls_served=due - counts.missing,
        on_time_share=counts.on_time_share,
        early_share=_share(counts.early, due),
        late_share=_share(counts.late, due),
        missing_share=_share(counts.missing, due),
        deviation_mean_s=float(known_s.mean()) if len(known_s) else np.nan,
        deviation_p10_s=p10_s,
        deviation_p50_s=p50_s,
        deviation_p90_s=p90_s,
        headways=compared,
        headway_cv=regularity[0].cv if regularity else np.nan,
        headway_level_of_service=regularity[0].level_of_service if regularity else "",
        excess_wait_s=regularity[0].excess_wait_s if regularity else np.nan,
        bunched_share=_share(regularity[0].bunched, compared) if regularity else np.nan,
        gap_share=_share(regularity[0].gaps, compared) if regularity else np.nan,
    )


def _leg_of_call(plan: TransitPlan) -> IntArray:
    return np.repeat(np.arange(len(plan.legs), dtype=np.int32), np.diff(plan.legs.call_start))


def _direction(plan: TransitPlan, leg: int) -> int | None:
    """Direction of a leg, None where the feed gives none."""
    direction = int(plan.legs.direction[leg])
    return direction if direction >= 0 else None


def _moments(plan: TransitPlan) -> Callable[[float], str]:
    """What turns a time of the simulation (s) into text, empty for none."""
    origin_s = origin_epoch_s(plan.service_date, plan.timezone)
    text = cache(lambda time_s: local_text(origin_s + time_s, plan.timezone))
    return lambda time_s: "" if np.isnan(time_s) else text(time_s)


def _sequence_in_trip(plan: TransitPlan) -> IntArray:
    """Number of each call among those of its performed trip, from 1, part after part, shape (calls,)."""
    legs = plan.legs
    counts = np.diff(legs.call_start)
    done: dict[str, int] = {}
    before = np.zeros(len(legs), dtype=np.int32)
    for leg in np.argsort(legs.number, kind="stable").tolist():
        before[leg] = done.get(legs.trip_ids[leg], 0)
        done[legs.trip_ids[leg]] = int(before[leg] + counts[leg])
    within = np.arange(len(plan.calls)) - np.repeat(legs.call_start[:-1], counts)
    return (within + np.repeat(before, counts) + 1).astype(np.int32)


def _words(judged: JudgedCalls) -> list[str]:
    """What each call was, in words."""
    pairs = zip(judged.punctuality.tolist(), judged.is_due.tolist(), strict=True)
    return [WORDS[Punctuality(value)] if is_due else NOT_DUE for value, is_due in pairs]


def _qualities(is_interpolated: BoolArray, came: BoolArray) -> list[str]:
    words: list[str] = np.select([~came, is_interpolated], ["missing", "interpolated"], "observed").tolist()
    return words


def _waiting_places(plan: TransitPlan) -> tuple[npt.NDArray[np.intp], Integers]:
    """Calls at which somebody may wait, all but the ends of trips; route, direction and stop of each as a number."""
    rows = np.flatnonzero(~plan.calls.is_end)
    leg = _leg_of_call(plan)[rows]
    stop = _numbered(plan.calls.stop_ids)[rows]
    return rows, place_rows(_numbered(plan.legs.route_ids)[leg], plan.legs.way[leg], stop)


def _numbered(texts: Sequence[str]) -> Integers:
    """A number for each text, in their order."""
    numbers: Integers = np.unique(np.array(texts, dtype=np.str_), return_inverse=True)[1]
    return numbers


def _of(found: Headways, chosen: BoolArray) -> Headways:
    return Headways(found.actual_s[chosen], found.scheduled_s[chosen])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else np.nan
