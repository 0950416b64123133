"""Arrivals of a replay on Portland's thinned traces, beside straight lines between the same positions."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.portland import BREADCRUMBS, Passages, Recorded, passages, pings_of, read_recorded
from benchmarks.portland_curve import Estimate, portland_curve, straight
from benchmarks.portland_feed import write_feed
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from gtfs.feed import read_feed
from gtfs.performed_trips import joined_trips
from gtfs.replay import Replay
from gtfs.stop_visits import stop_visits
from gtfs.trace_kernels import Crossings
from gtfs.trace_plan import TracePlan, trace_plan
from gtfs.trace_settings import TraceSettings
from networks.network import FloatArray, IntArray


def portland(setup: Setup) -> Iterator[Measurement]:
    """Curves of the replay as users have it, and of straight lines with its zone and with none."""
    path = setup.real(BREADCRUMBS, "portland")
    if path is None:
        return
    recorded = read_recorded(path)
    with tempfile.TemporaryDirectory(prefix="bagdar-") as folder:
        plan = trace_plan(read_feed(write_feed(recorded, passages(recorded), Path(folder) / "feed.zip")))
    settings = TraceSettings()
    estimates = {
        "straight": straight(0.0),
        f"straight, {settings.zone_m:g} m": straight(settings.zone_m),
        "replay": replayed(plan, settings),
    }
    yield from portland_curve(setup, estimates)


def replayed(plan: TracePlan, settings: TraceSettings) -> Estimate:
    """Estimate by a replay against the feed that :func:`benchmarks.portland_feed.write_feed` made."""
    passage = np.array([int(stop) for stop in plan.timetable.stops.ids], dtype=np.int32)[plan.timetable.call_stop]

    def estimate(recorded: Recorded, found: Passages, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        replay = Replay(plan, settings)
        steps = [replay.feed(pings_of(recorded, rows))]
        trips = [replay.trips.at(steps[0].begun)]
        steps.append(replay.close())
        trips.append(replay.trips.at(steps[1].begun))
        crossings = Crossings(
            *(np.concatenate(parts) for parts in zip(*(step.crossings for step in steps), strict=True))
        )
        visits = stop_visits(plan, joined_trips(trips), crossings, settings.known_s)
        arrival_s, departure_s = np.full((2, len(found)), np.nan)
        arrival_s[passage[visits.call]], departure_s[passage[visits.call]] = visits.arrival_s, visits.departure_s
        return arrival_s, departure_s

    return estimate
