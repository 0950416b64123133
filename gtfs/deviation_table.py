"""Every ping that is final as a table: where on its trip the vehicle was, and how late."""

import numpy as np
import pyarrow as pa

from gtfs.arrow_columns import labels, reals
from gtfs.replay_result import ReplayResult
from gtfs.trace_kernels import FINISHED, MATCHED, NO_TRIP, NOT_STARTED, OFF_ROUTE
from gtfs.trace_plan import day_date
from networks.network import NONE

FOUND = {
    MATCHED: "matched",
    OFF_ROUTE: "off route",
    NOT_STARTED: "not started",
    FINISHED: "finished",
    NO_TRIP: "no trip",
}
MICROSECONDS = 1_000_000


def deviations_table(result: ReplayResult) -> pa.Table:
    """A row for each ping, by day, vehicle and time.

    ``distance_m`` is the way along the trip's line since its begin, ``off_route_m`` the distance from the line,
    ``deviation_s`` actual minus scheduled there, late is positive. They are null unless ``quality`` is matched; the
    distance from the line is known of pings off the route too.
    """
    pings = result.matched
    days, place = np.unique(result.performed.day, return_inverse=True)
    of_trip = np.append(place, NONE).astype(np.int32)
    words = tuple(FOUND.values())
    codes = np.full(max(FOUND) + 1, NONE, dtype=np.int32)
    codes[list(FOUND)] = np.arange(len(FOUND))
    stamps = np.round(pings.time_s * MICROSECONDS).astype("datetime64[us]")
    return pa.table(
        {
            "service_date": labels([day_date(day).isoformat() for day in days.tolist()], of_trip[pings.performed]),
            "vehicle_id": labels(result.vehicles, pings.vehicle),
            "event_timestamp": pa.array(stamps, type=pa.timestamp("us", tz="UTC")),
            "trip_id_performed": labels(result.trip_ids, pings.performed),
            "latitude": pa.array(pings.lat),
            "longitude": pa.array(pings.lon),
            "speed_mps": reals(pings.speed_mps),
            "distance_m": reals(pings.way_m),
            "off_route_m": reals(pings.off_m),
            "deviation_s": reals(pings.deviation_s),
            "quality": labels(words, codes[pings.found]),
        }
    )
