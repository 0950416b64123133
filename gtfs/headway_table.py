"""Headways of a replay as a table, with the columns that the simulation's has."""

import numpy as np
import pyarrow as pa

from gtfs.arrow_columns import Integers, labels, moments, reals, wholes
from gtfs.headways import bunched, gaps
from gtfs.on_time import Position
from gtfs.replay_result import ReplayResult
from gtfs.trace_plan import day_date


def headways_table(result: ReplayResult) -> pa.Table:
    """A row for each departure that was seen, by service day, route, direction and stop, and there by time.

    The ends of trips are left out: nobody waits there. What is not known is null, and such a departure is neither
    bunched nor a gap.
    """
    plan, visits, found = result.plan, result.visits, result.headways
    table = plan.timetable
    rows = np.flatnonzero(np.isfinite(visits.departure_s) & (visits.position != Position.END))
    performed = visits.performed[rows]
    trip, day = result.performed.trip[performed], result.performed.day[performed]
    pattern, stop = table.trips.pattern[trip], table.call_stop[visits.call[rows]]
    route, direction = table.patterns.route[pattern], table.patterns.direction[pattern]
    ranks = _rank(table.stops.ids)[stop], table.pattern_way[pattern], _rank(table.routes.ids)[route]
    order = np.lexsort((rows, visits.departure_s[rows], *ranks, day))
    kept = rows[order]
    days, place = np.unique(day[order], return_inverse=True)
    return pa.table(
        {
            "service_date": labels([day_date(one).isoformat() for one in days.tolist()], place.reshape(-1)),
            "route_id": labels(table.routes.ids, route[order]),
            "direction_id": wholes(direction[order]),
            "stop_id": labels(table.stops.ids, stop[order]),
            "trip_id_performed": labels(result.trip_ids, performed[order]),
            "departure_time": moments(visits.departure_s[kept], table.timezone),
            "headway_s": reals(found.actual_s[kept]),
            "scheduled_headway_s": reals(found.scheduled_s[kept]),
            "bunched": pa.array(bunched(found)[kept]),
            "gap": pa.array(gaps(found)[kept]),
        }
    )


def _rank(ids: tuple[str, ...]) -> Integers:
    """Place of each id among all in the order of their letters."""
    rank = np.empty(len(ids), dtype=np.int64)
    rank[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return rank
