"""Sums over headways by route, from which their regularity follows whichever parts they came in."""

from dataclasses import dataclass

import numpy as np

from gtfs.headways import HeadwayAdherence, bunched, gaps, level_of_service
from gtfs.replay_result import ReplayResult
from networks.network import FloatArray

_NAMES = (
    "visits",
    "headways",
    "actual_s",
    "scheduled_s",
    "apart_s",
    "apart_squared",
    "actual_squared",
    "scheduled_squared",
    "bunched",
    "gaps",
)


@dataclass(frozen=True, slots=True, eq=False)
class HeadwaySums:
    """Sums by route over visits with both headways: what nobody saw has no wait that could be held against the plan.

    ``values`` has shape (routes, names); apart is actual minus scheduled.
    """

    values: FloatArray

    def of_route(self, route: int) -> HeadwayAdherence:
        """Regularity of one route."""
        return _adherence(route, self.values[route])

    def of_all(self) -> HeadwayAdherence:
        """Regularity over all routes."""
        return _adherence(0, self.values.sum(axis=0))


def no_sums(routes: int) -> HeadwaySums:
    """Sums of nothing."""
    return HeadwaySums(np.zeros((routes, len(_NAMES))))


def headway_sums(result: ReplayResult) -> HeadwaySums:
    """Sums over the visits of a result."""
    route, found = result.visit_route, result.headways
    both = found.comparable
    actual_s, scheduled_s = np.where(both, found.actual_s, 0.0), np.where(both, found.scheduled_s, 0.0)
    apart_s = actual_s - scheduled_s
    columns = (
        np.ones(len(route)),
        both,
        actual_s,
        scheduled_s,
        apart_s,
        apart_s**2,
        actual_s**2,
        scheduled_s**2,
        bunched(found),
        gaps(found),
    )
    routes = len(result.plan.timetable.routes)
    return HeadwaySums(np.column_stack([np.bincount(route, column, minlength=routes) for column in columns]))


def _adherence(group: int, values: FloatArray) -> HeadwayAdherence:
    """As :func:`gtfs.headways.headway_adherence` of the visits that have both headways, from sums."""
    of = dict(zip(_NAMES, values.tolist(), strict=True))
    count = of["headways"]
    variance = max(of["apart_squared"] / count - (of["apart_s"] / count) ** 2, 0.0) if count else np.nan
    cv = float(np.sqrt(variance) / (of["scheduled_s"] / count)) if count > 1 else np.nan
    wait_s = _half(of["actual_squared"], of["actual_s"])
    return HeadwayAdherence(
        group=group,
        visits=int(of["visits"]),
        headways=int(count),
        mean_actual_s=of["actual_s"] / count if count else np.nan,
        mean_scheduled_s=of["scheduled_s"] / count if count else np.nan,
        cv=cv,
        level_of_service=level_of_service(cv),
        mean_wait_s=wait_s,
        excess_wait_s=wait_s - _half(of["scheduled_squared"], of["scheduled_s"]),
        bunched=int(of["bunched"]),
        gaps=int(of["gaps"]),
    )


def _half(squares: float, total: float) -> float:
    return squares / (2.0 * total) if total > 0 else np.nan
