"""Real vehicles into a scenario: their curves drive among its traffic; tables, sums and a picture of how well."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path

from gtfs.clock import origin_epoch_s
from gtfs.curves import Curves
from gtfs.timetable import Timetable
from networks.faults import InputError
from networks.outfile import write_text
from scenarios.drawing import Drawing
from scenarios.numerals import number
from scenarios.prepare import Prepared, Say, prepare, run_specs
from scenarios.replay_into_figure import draw_replay
from scenarios.replay_views import CountRow, Simulated
from scenarios.scenario import Scenario
from scenarios.sweep import Progress, label
from scenarios.tables import as_record, from_record, write_csv
from sim.measures import JunctionMeasures
from sim.replay_drive import Ride
from sim.replay_measures import LAGS_M, ReplayTotals, RideMeasures, replay_totals, ride_measures
from sim.replay_paths import CurveTracks, curve_tracks
from sim.replay_run import ReplayRun, replay
from sim.replay_tracks import STANDING_M, Track, in_time
from sim.run import RunSpec
from sim.times import clock_text

REPORTS = 50
"""How often a run tells its progress."""

CPU_COLUMNS = ("sumo_cpu_s", "total_cpu_s")
MOST_NAMED = 20
WHOLE_SHARE = 0.99
"""A curve of which as much lies on the network is not called clipped: its ends may lie off the street."""

DRIVEN, CLIPPED, NOT_DRIVEN = "driven", "clipped", "not driven"
OUTSIDE = "part of it lies outside the network"
NOT_THEN = "outside the time simulated"
PARTLY_THEN = "part of it lies outside the time simulated"
NO_ROOM = "it found no room to enter"

_STATUS = {
    DRIVEN: "driven whole",
    CLIPPED: "driven in part: the rest lies outside the network or the time simulated",
    NOT_DRIVEN: "not driven",
}

RULES = (
    "Replayed vehicles follow their matched paths at the speed that keeps them on their curves. They keep safe "
    "distances, queue and give way as all others do. They pass red lights where nobody is in the way: the real vehicle "
    "passed there then, whatever the simulated light shows. Where simulated traffic holds one up it lags, and catches "
    "up at no more than the speed limit or its real speed, whichever is more."
)
IN_PLACE = "The scenario's own timetabled vehicles are left out: the replayed ones take their place."


@dataclass(frozen=True, slots=True)
class IntoRow:
    """A track as a row of ``into.csv``: whose it is, what of it was driven, and its :class:`RideMeasures`.

    Attributes
    ----------
    part
        Number of the piece of path: a pattern's path may break. 0 for a curve that was not driven.
    status, reason
        ``driven``, ``clipped`` or ``not driven``, and why.
    driven_share
        Share of the curve's length that this piece and the time simulated hold.
    begin, end
        When the real vehicle was there, by the clock.
    """

    trip_id_performed: str
    trip_id_scheduled: str
    vehicle_id: str
    route_id: str
    pattern_id: str
    part: int
    status: str
    reason: str
    driven_share: float
    begin: str
    end: str
    entered: bool
    done: bool
    driven_m: float
    entered_late_s: float
    error_p50_m: float
    error_p95_m: float
    max_lag_m: float
    max_lead_m: float
    within_10m_share: float
    within_30m_share: float
    lags: bool
    stops_compared: int
    stops_missed: int
    stop_error_s: float
    stop_error_max_s: float
    teleports: int
    collisions: int
    hard_braking: int


@dataclass(frozen=True, slots=True)
class Into:
    """What a replay into a scenario gave."""

    rows: tuple[IntoRow, ...]
    totals: ReplayTotals
    run: ReplayRun
    drawing: Drawing


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    """A curve's piece that is to drive, None where nothing of the curve is, and what is known of it before."""

    curve: int
    part: int
    track: Track | None
    reason: str
    share: float


def replay_into(
    scenario: Scenario,
    timetable: Timetable,
    curves: Curves,
    out_dir: Path,
    *,
    service_date: date | None = None,
    variant: str | None = None,
    seed: int | None = None,
    say: Say = lambda _text: None,
    on_progress: Progress | None = None,
) -> Into:
    """Let real vehicles drive among a scenario's traffic; write ``into.csv``, ``into.json`` and more to a folder.

    It runs one simulation in this process, which can run no other after it at the same time.

    Parameters
    ----------
    timetable
        The one whose trips the curves name.
    service_date
        The day that the scenario's clock shows; the timetable's by default. Of a trace of several days only what lies
        in the scenario's hours of this day is driven.
    variant, seed
        The scenario's first ones by default.
    on_progress
        Called with the run's label and its done share.

    Raises
    ------
    InputError
        CONFIG_VALUE where the scenario has no such variant; REPLAY_EMPTY where no vehicle can be driven; whatever is
        wrong with the scenario's inputs.
    """
    _require_variant(scenario, variant)
    prepared = prepare(replace(scenario, transit=None), out_dir, say)
    spec = _spec(scenario, prepared, variant, seed)
    day = service_date or timetable.service_date
    say(f"matching {len(curves)} curves to streets")
    found = curve_tracks(prepared.network, timetable, curves, origin_epoch_s(day, timetable.timezone))
    entries = [entry for each in found for entry in _entries(each, spec)]
    tracks = [entry.track for entry in entries if entry.track is not None]
    if not tracks:
        raise _nothing(scenario, entries)
    say(f"{len(tracks)} real vehicles among the traffic of {label(spec)}")
    every_s = (spec.end_s - spec.begin_s) / REPORTS
    run = replay(spec, prepared.network, tracks, on_progress=_reporting(spec, on_progress), progress_every_s=every_s)
    return _conclude(scenario, prepared, timetable, curves, out_dir, spec, day, entries, run)


def _require_variant(scenario: Scenario, variant: str | None) -> None:
    names = [row.name for row in scenario.variants]
    if variant is not None and variant not in names:
        remedy = f"There are {', '.join(repr(name) for name in names)}"
        raise InputError("CONFIG_VALUE", f"no variant {variant!r}", file=scenario.path, remedy=remedy)


def _spec(scenario: Scenario, prepared: Prepared, variant: str | None, seed: int | None) -> RunSpec:
    specs = run_specs(scenario, prepared, (scenario.seeds[0] if seed is None else seed,))
    spec = next(spec for spec in specs if variant in {None, spec.variant})
    if spec.priority is not None:
        what = f"variant {spec.variant!r} has priority, and nobody knows here how late a replayed vehicle is"
        raise InputError("CONFIG_VALUE", what, file=scenario.path, field="variant", remedy="Name one without priority")
    return spec


def _reporting(spec: RunSpec, on_progress: Progress | None) -> Callable[[float], None] | None:
    if on_progress is None:
        return None
    return lambda now_s: on_progress(label(spec), (now_s - spec.begin_s) / (spec.end_s - spec.begin_s))


def _nothing(scenario: Scenario, entries: Sequence[_Entry]) -> InputError:
    reasons = ", ".join(f"{count} x {reason}" for reason, count in Counter(row.reason for row in entries).most_common())
    return InputError(
        "REPLAY_EMPTY",
        f"no real vehicle drives on this network in the scenario's time ({reasons or 'there are no curves'})",
        file=scenario.path,
        remedy="Check that trace, timetable and network are of one place, and the scenario's begin, end and day",
    )


def _entries(found: CurveTracks, spec: RunSpec) -> list[_Entry]:
    """The pieces of a curve that lie in the time simulated, or one entry that says why there are none."""
    if not found.tracks:
        return [_Entry(found.curve, 0, None, found.reason, 0.0)]
    whole_m = sum(track.length_m for track in found.tracks)
    entries = []
    for part, track in enumerate(found.tracks, start=1):
        cut = in_time(track, spec.begin_s, spec.end_s)
        if cut is not None:
            is_cut = track.length_m - cut.length_m > 2 * STANDING_M
            reasons = [OUTSIDE] * (found.inside_share < WHOLE_SHARE) + [PARTLY_THEN] * is_cut
            share = found.inside_share * cut.length_m / whole_m
            entries.append(_Entry(found.curve, part, cut, "; ".join(reasons), share))
    return entries or [_Entry(found.curve, 0, None, NOT_THEN, 0.0)]


def _conclude(
    scenario: Scenario,
    prepared: Prepared,
    timetable: Timetable,
    curves: Curves,
    out_dir: Path,
    spec: RunSpec,
    day: date,
    entries: Sequence[_Entry],
    run: ReplayRun,
) -> Into:
    """Tables, sums and picture."""
    rides = iter(run.rides)
    paired = [(entry, next(rides) if entry.track is not None else None) for entry in entries]
    rows = tuple(_row(timetable, curves, entry, ride, spec.step_s) for entry, ride in paired)
    totals = replay_totals(run.rides, spec.step_s)
    write_csv(out_dir / "into.csv", IntoRow, rows)
    write_csv(out_dir / "into_junctions.csv", JunctionMeasures, run.junctions)
    note = " · ".join([*(["synthetic traffic"] if prepared.demand.is_synthetic else []), label(spec), day.isoformat()])
    drawing = _drawn(out_dir / "figures" / "into.png", timetable, curves, paired, note)
    summary = {
        "scenario": scenario.name,
        "variant": spec.variant,
        "controller": spec.controller,
        "seed": spec.seed,
        "service_date": day.isoformat(),
        "begin": clock_text(spec.begin_s),
        "end": clock_text(spec.end_s),
        "demand": prepared.demand.description,
        "curves": len(curves),
        "status": dict(Counter(row.status for row in rows)),
        "not_driven": dict(Counter(row.reason for row in rows if row.status == NOT_DRIVEN)),
        "replay": as_record(totals),
        "lagging": _lagging(rows),
        "other_traffic": {name: value for name, value in as_record(run.measures).items() if name not in CPU_COLUMNS},
        "notes": [RULES, *([IN_PLACE] if scenario.transit is not None else []), verdict(totals)],
    }
    write_text(out_dir / "into.json", json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    return Into(rows, totals, run, drawing)


def _row(timetable: Timetable, curves: Curves, entry: _Entry, ride: Ride | None, step_s: float) -> IntoRow:
    trip = int(curves.trip[entry.curve])
    known = {name: getattr(_measured(ride, step_s), name) for name in (field.name for field in fields(RideMeasures))}
    entered = bool(known["entered"])
    reason = entry.reason if entered or entry.track is None else NO_ROOM
    return IntoRow(
        trip_id_performed=timetable.trips.ids[trip],
        trip_id_scheduled=timetable.trips.trip_ids[trip],
        vehicle_id=curves.vehicle_ids[entry.curve],
        route_id=timetable.routes.ids[int(timetable.trip_route[trip])],
        pattern_id=timetable.trip_pattern_ids[trip],
        part=entry.part,
        status=NOT_DRIVEN if not entered else CLIPPED if reason else DRIVEN,
        reason=reason,
        driven_share=entry.share,
        begin=clock_text(float(entry.track.time_s[0])) if entry.track is not None else "",
        end=clock_text(float(entry.track.time_s[-1])) if entry.track is not None else "",
        **known,
    )


def _measured(ride: Ride | None, step_s: float) -> RideMeasures:
    """The measures of a ride; without one everything is 0 or not known."""
    if ride is not None:
        return ride_measures(ride, step_s)
    empty = {item.name: float("nan") if item.type is float else 0 for item in fields(RideMeasures)}
    return from_record(RideMeasures, empty | {"entered": False, "done": False, "lags": False})


def _lagging(rows: Sequence[IntoRow]) -> list[dict[str, str | float]]:
    """Those that fell far behind their curves, the farthest first, with how far."""
    worst = sorted((row for row in rows if row.lags), key=lambda row: -row.max_lag_m)
    return [
        {"trip_id_performed": row.trip_id_performed, "vehicle_id": row.vehicle_id, "max_lag_m": round(row.max_lag_m, 1)}
        for row in worst[:MOST_NAMED]
    ]


def simulated(found: Into) -> Simulated:
    """What the report of the trace says of it."""
    count = Counter(row.status for row in found.rows)
    reasons = Counter(row.reason for row in found.rows if row.status == NOT_DRIVEN)
    rows = [CountRow(words, number(count[status]), "") for status, words in _STATUS.items()]
    rows += [CountRow(f"of these: {reason}", number(often), "") for reason, often in reasons.most_common()]
    return Simulated(verdict(found.totals), tuple(rows), (RULES,), found.drawing.path.stem)


def verdict(totals: ReplayTotals) -> str:
    """In words how far the replay can be believed."""
    kept = f"{totals.within_30m_share:.1%} of the time within 30 m of their curves"
    if not totals.lagging:
        return f"No vehicle fell {LAGS_M:g} m behind its curve; {kept}."
    return (
        f"{totals.lagging} of {totals.rides} vehicles fell more than {LAGS_M:g} m behind their curves, the farthest "
        f"{totals.max_lag_m:.0f} m: while they did they were not where the real ones had been; {kept}."
    )


def _drawn(
    path: Path, timetable: Timetable, curves: Curves, paired: Sequence[tuple[_Entry, Ride | None]], note: str
) -> Drawing:
    """Draw the pattern and piece of path with most rides."""
    groups: dict[tuple[int, int], list[Ride]] = {}
    for entry, ride in paired:
        if ride is not None:
            pattern = int(timetable.trips.pattern[curves.trip[entry.curve]])
            groups.setdefault((pattern, id(ride.track.path)), []).append(ride)
    (pattern, _), rides = max(groups.items(), key=lambda item: len(item[1]))
    route, routes = int(timetable.patterns.route[pattern]), timetable.routes
    name = routes.short_names[route] or routes.long_names[route] or routes.ids[route]
    return draw_replay(path, rides, name, f"{len(rides)} vehicles · {note}")
