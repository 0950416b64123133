"""A replay in numbers: what came in, what was found of it, and how the service was."""

import math
from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np

from gtfs.deviation_spread import PERCENTILES
from gtfs.due_calls import DueCalls
from gtfs.headways import HeadwayAdherence, headway_adherence
from gtfs.on_time import OnTimeCounts, on_time_counts
from gtfs.replay_result import ReplayResult
from gtfs.stop_visits import Integers, Quality
from gtfs.tides import EVIDENCE, QUALITY, is_added
from gtfs.trace_plan import day_date
from networks.network import FloatArray


def replay_summary(result: ReplayResult, due: DueCalls) -> dict[str, Any]:
    """Plain values that JSON can hold; None where nothing can be said. Shares are from 0 to 1, times in seconds.

    On-time shares are of the calls that were due and whose fate is known; missing ones are among them.
    """
    is_timepoint = result.plan.timetable.calls.timepoint[due.call]
    return {
        "feed_timezone": result.plan.timetable.timezone,
        "service_dates": [day_date(day).isoformat() for day in np.unique(due.trips.day).tolist()],
        "on_time_rule": {"name": result.rule.name, "bounds_s": _bounds(result)},
        "pings": dict(result.counts),
        "vehicles": len(result.vehicles),
        "trips": _trips(result, due),
        "stop_visits": {
            "due": len(due),
            "quality": _quality(result.visits.quality),
            "skipped": int(result.visits.is_skipped.sum()),
        },
        "on_time": {
            "all_stops": _counts(on_time_counts(due.punctuality)),
            "timepoints": _counts(on_time_counts(due.punctuality[is_timepoint])),
        },
        "deviation_s": {
            "all_stops": _spread(due.deviation_s),
            "timepoints": _spread(due.deviation_s[is_timepoint]),
        },
        "headways": {"all": _headways(result), "routes": _route_headways(result)},
        "events": dict(sorted(Counter(str(event.kind) for event in result.events).items())),
        "notices": [asdict(notice) for notice in result.notices],
    }


def _bounds(result: ReplayResult) -> dict[str, list[float | None]]:
    rule = result.rule
    return {
        name: [_known(bound) for bound in pair]
        for name, pair in (("origin", rule.origin), ("middle", rule.middle), ("end", rule.end))
    }


def _trips(result: ReplayResult, due: DueCalls) -> dict[str, Any]:
    found = Counter(EVIDENCE[one.evidence] for one in result.performed)
    trip = np.array([one.trip for one in result.performed], dtype=np.int32)
    day = np.array([one.day for one in result.performed], dtype=np.int32)
    return {
        "due": len(due.trips),
        "performed": len(result.performed),
        "evidence": {words: found[words] for words in EVIDENCE.values() if found[words]},
        "missing": len(result.missing),
        "added": int(is_added(result, trip, day).sum()),
    }


def _quality(quality: Integers) -> dict[str, int]:
    counts = np.bincount(quality, minlength=len(Quality)).tolist()
    return {QUALITY[kind]: counts[kind] for kind in reversed(Quality)}


def _counts(counts: OnTimeCounts) -> dict[str, Any]:
    return asdict(counts) | {"judged": counts.judged, "on_time_share": _known(counts.on_time_share)}


def _spread(deviation_s: FloatArray) -> dict[str, float | int | None]:
    known_s = deviation_s[np.isfinite(deviation_s)]
    found = np.percentile(known_s, PERCENTILES).tolist() if len(known_s) else [math.nan] * len(PERCENTILES)
    mean_s = float(known_s.mean()) if len(known_s) else math.nan
    percentiles = {f"p{percent}": _known(value) for percent, value in zip(PERCENTILES, found, strict=True)}
    return {"count": len(known_s), "mean": _known(mean_s), **percentiles}


def _headways(result: ReplayResult) -> dict[str, Any] | None:
    group = np.zeros(len(result.visits), dtype=np.int32)
    found = headway_adherence(result.headways, group)
    return _adherence(found[0]) if found else None


def _route_headways(result: ReplayResult) -> dict[str, Any]:
    ids = result.plan.timetable.routes.ids
    found = headway_adherence(result.headways, result.visit_route) if len(result.visits) else ()
    return {ids[row.group]: _adherence(row) for row in sorted(found, key=lambda row: ids[row.group])}


def _adherence(found: HeadwayAdherence) -> dict[str, Any]:
    return {
        "headways": found.headways,
        "mean_s": _known(found.mean_actual_s),
        "scheduled_mean_s": _known(found.mean_scheduled_s),
        "cv": _known(found.cv),
        "level_of_service": found.level_of_service or None,
        "excess_wait_s": _known(found.excess_wait_s),
        "bunched": found.bunched,
        "gaps": found.gaps,
    }


def _known(value: float) -> float | None:
    """A number to four places, None where there is none."""
    return round(float(value), 4) + 0.0 if math.isfinite(value) else None
