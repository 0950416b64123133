"""A replay in numbers: what came in, what was found of it, and how the service was."""

import math
from dataclasses import asdict
from typing import Any

from gtfs.deviation_spread import PERCENTILES
from gtfs.headways import HeadwayAdherence
from gtfs.on_time import OnTimeCounts, OnTimeRule
from gtfs.stop_visits import Quality
from gtfs.tides import EVIDENCE, QUALITY
from gtfs.trace_plan import day_date
from scenarios.replay_tally import Counts, Tally, percentiles_s


def replay_summary(tally: Tally) -> dict[str, Any]:
    """Plain values that JSON can hold; None where nothing can be said. Shares are from 0 to 1, times in seconds.

    On-time shares are of the calls that were due and whose fate is known; missing ones are among them.
    """
    result = tally.latest
    return {
        "feed_timezone": result.plan.timetable.timezone,
        "service_dates": [day_date(day).isoformat() for day in sorted(tally.days)],
        "on_time_rule": {"name": result.rule.name, "bounds_s": _bounds(result.rule)},
        "pings": tally.pings(),
        "vehicles": len(tally.vehicles),
        "trips": {
            "due": tally.due_trips,
            "performed": tally.performed,
            "evidence": {words: tally.evidence[kind] for kind, words in EVIDENCE.items() if tally.evidence[kind]},
            "missing": tally.missing,
            "unjudged": tally.unjudged,
            "added": tally.added,
        },
        "stop_visits": {
            "due": int(tally.fate.sum()),
            "quality": {QUALITY[kind]: tally.quality[kind] for kind in reversed(Quality)},
            "skipped": tally.skipped,
        },
        "on_time": {"all_stops": _counts(tally.all_stops()), "timepoints": _counts(tally.timepoints())},
        "deviation_s": {
            "all_stops": _spread(tally.spread.sum(axis=(0, 1)), float(tally.deviation_s.sum())),
            "timepoints": _spread(tally.spread[:, 1].sum(axis=0), float(tally.deviation_s[1])),
        },
        "headways": {"all": _adherence(tally.headways.of_all()), "routes": _route_headways(tally)},
        "events": dict(sorted(tally.events.items())),
        "notices": [asdict(notice) for notice in result.notices],
    }


def _bounds(rule: OnTimeRule) -> dict[str, list[float | None]]:
    """Least and greatest deviation that is on time, None where there is no bound."""
    pairs = {"origin": rule.origin, "middle": rule.middle, "end": rule.end}
    return {name: [_known(bound) for bound in pair] for name, pair in pairs.items()}


def _counts(counts: OnTimeCounts) -> dict[str, Any]:
    return asdict(counts) | {"judged": counts.judged, "on_time_share": _known(counts.on_time_share)}


def _spread(calls: Counts, total_s: float) -> dict[str, float | int | None]:
    count = int(calls.sum())
    mean_s = total_s / count if count else math.nan
    found = percentiles_s(calls, [percent / 100 for percent in PERCENTILES])
    percentiles = {f"p{percent}": _known(value) for percent, value in zip(PERCENTILES, found, strict=True)}
    return {"count": count, "mean": _known(mean_s), **percentiles}


def _route_headways(tally: Tally) -> dict[str, Any]:
    ids = tally.latest.plan.timetable.routes.ids
    found = [tally.headways.of_route(route) for route in range(len(ids))]
    return {ids[row.group]: _adherence(row) for row in sorted(found, key=lambda row: ids[row.group]) if row.visits}


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
