"""Portland's recorded trips: where each bus was every five seconds, and when its own system passed each stop.

There is no timetable. A trip's line is its own full trace. The number of the stop event changes somewhere between two
positions; where the stop is on the line is told by other trips that pass it, so that a passage has no say in its own
place. While doors are open the recorder writes nothing, so a bus that stands at a stop is silent: of such a passage the
trace has the moments before and after, and neither arrival nor departure to the second.
"""

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import shapely
from pyproj import Proj
from scipy.spatial import cKDTree

from gtfs.clock import origin_epoch_s
from gtfs.pings import Labels, Pings, no_labels
from networks.network import FloatArray, IntArray

BREADCRUMBS = "portland/breadcrumbs_202212.csv.gz"
ZONE = "America/Los_Angeles"
STEP_S = 5
"""Between two recorded positions, and between two phases of a thinned trace."""

CORNER_M = 5.0
"""So far a bus has come before its line gets another corner: a standing receiver wanders."""

POOR_HDOP = 4.0
"""A line has no corner where satellites stood worse than this."""

NEAR_M, OTHERS_M, ASIDE_M, MISSED_M = 200.0, 10.0, 25.0, 25.0
"""Other passages are looked for so near; they overlap this one within so much; their line runs so close to this one;
and a place so far outside of a passage's own positions is another stop's."""

SAME_WAY = 0.8
"""Cosine between the directions of two passages of one stop, at least."""

LEAST_OTHERS = 3
SERVED_S, SERVED_MPS = 12.0, 5.0
"""A bus has stood at a stop if it was silent for so long and came forward slower than this."""

LEAST_MPS = 3.0
"""A bus that brakes for a stop was at least so fast before."""

PLANE = "+proj=tmerc +lat_0=45.5 +lon_0=-122.65 +ellps=WGS84"

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Trips as recorded, positions of trip ``i`` in rows ``start[i]:start[i + 1]``, by time.

    Attributes
    ----------
    dates, vehicles, trip_ids
        Of each trip.
    time_s
        Epoch seconds, shape (positions,).
    lonlat, place_m
        Degrees, and metres on a plane that touches the city, shape (positions, 2).
    odometer_m, hdop
        Shape (positions,).
    way_m
        How far along the trip's line, not falling, shape (positions,).
    stop_event
        Number of the stop event, shape (positions,); it changes where the bus passes a stop.
    """

    start: IntArray
    dates: tuple[date, ...]
    vehicles: tuple[str, ...]
    trip_ids: tuple[str, ...]
    time_s: FloatArray
    lonlat: FloatArray
    place_m: FloatArray
    odometer_m: FloatArray
    way_m: FloatArray
    is_corner: BoolArray
    stop_event: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Count of trips."""
        return len(self.trip_ids)

    def rows(self, trip: int) -> slice:
        """Positions of a trip."""
        return slice(*self.start[trip : trip + 2].tolist())

    def line(self, trip: int) -> IntArray:
        """Positions that are corners of a trip's line; ``way_m`` there is the length of the line up to them."""
        here = self.rows(trip)
        corners: IntArray = (here.start + np.flatnonzero(self.is_corner[here])).astype(np.int32)
        return corners


@dataclass(frozen=True, slots=True, eq=False)
class Passages:
    """Passages of stops, shape (passages,) each, by trip and time.

    Attributes
    ----------
    trip
        Row of the trip.
    before, after
        Last position before the stop event changed and first one after.
    at_m
        Where along the trip's line the stop is, by the other trips that pass it; NaN where fewer than three do or where
        they tell of another place.
    others
        How many others there are.
    is_served
        Whether the bus stood there.
    arrival_s, departure_s
        When it came there and left, NaN without a place; never before the position before nor after the one after,
        since that is what the bus's own system says. Where it drove through both are when it passed, between two
        positions at even speed; where it stood it is taken to have braked evenly after the last position before, and
        sped up evenly up to the first one after.
    """

    trip: IntArray
    before: IntArray
    after: IntArray
    at_m: FloatArray
    others: IntArray
    is_served: BoolArray
    arrival_s: FloatArray
    departure_s: FloatArray

    def __len__(self) -> int:
        """Count of passages."""
        return len(self.trip)

    @property
    def is_placed(self) -> BoolArray:
        """Those with a place."""
        return np.isfinite(self.at_m)


def read_recorded(path: Path) -> Recorded:
    """Read the positions; those without coordinates are left out."""
    with gzip.open(path) as stream:
        table = pa_csv.read_csv(stream)
    table = table.filter(pc.is_valid(table["GPS_LATITUDE"]))
    table = table.sort_by([("OPD_DATE", "ascending"), ("VEHICLE_ID", "ascending"), ("ACT_TIME", "ascending")])
    day = table["OPD_DATE"].to_pylist()
    columns = {
        name: np.asarray(table[name].to_numpy()) for name in table.column_names if name not in {"OPD_DATE", "src"}
    }
    trip = columns["EVENT_NO_TRIP"]
    first = np.flatnonzero(np.append([True], trip[1:] != trip[:-1]))
    start = np.append(first, len(trip)).astype(np.int32)
    dates = tuple(_day(day[row]) for row in first.tolist())
    origins_s = np.array([origin_epoch_s(each, ZONE) for each in dates], dtype=np.float64)
    lonlat = np.column_stack((columns["GPS_LONGITUDE"], columns["GPS_LATITUDE"]))
    place_m = np.column_stack(Proj(PLANE)(*lonlat.T))
    odometer_m = columns["METERS"].astype(np.float64)
    is_corner, way_m = _ways(start, place_m, odometer_m, columns["GPS_HDOP"])
    return Recorded(
        start=start,
        dates=dates,
        vehicles=tuple(str(columns["VEHICLE_ID"][row]) for row in first.tolist()),
        trip_ids=tuple(str(trip[row]) for row in first.tolist()),
        time_s=columns["ACT_TIME"] + np.repeat(origins_s, np.diff(start)),
        lonlat=lonlat,
        place_m=place_m,
        odometer_m=odometer_m,
        way_m=way_m,
        is_corner=is_corner,
        stop_event=columns["EVENT_NO_STOP"].astype(np.int64),
    )


def _day(text: str) -> date:
    return datetime.strptime(text, "%d%b%Y:%H:%M:%S").replace(tzinfo=UTC).date()


def _ways(
    start: IntArray, place_m: FloatArray, odometer_m: FloatArray, hdop: FloatArray
) -> tuple[BoolArray, FloatArray]:
    """Which positions are corners of their trip's line, and how far along it each is; between corners by odometer."""
    is_corner, way_m = np.zeros(len(odometer_m), dtype=np.bool_), np.empty(len(odometer_m))
    for first, behind in pairwise(start.tolist()):
        corners = [first]
        for row in range(first + 1, behind):
            if odometer_m[row] - odometer_m[corners[-1]] >= CORNER_M and hdop[row] <= POOR_HDOP:
                corners.append(row)
        is_corner[corners] = True
        along_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(place_m[corners], axis=0).T))))
        way_m[first:behind] = np.interp(odometer_m[first:behind], odometer_m[corners], along_m)
    return is_corner, way_m


def passages(recorded: Recorded) -> Passages:
    """All passages of one stop each.

    Where the event's number jumps, stops were passed between two positions and nobody knows which when: left out.
    """
    trip = np.repeat(np.arange(len(recorded), dtype=np.int32), np.diff(recorded.start))
    is_next = (trip[1:] == trip[:-1]) & (np.diff(recorded.stop_event) == 1)
    before = np.flatnonzero(is_next).astype(np.int32)
    after = before + np.int32(1)
    at_m, others = _places(recorded, trip[before], before, after)
    at_m = _in_order(trip[before], at_m)
    lasts_s = recorded.time_s[after] - recorded.time_s[before]
    came_m = recorded.way_m[after] - recorded.way_m[before]
    is_served = (lasts_s >= SERVED_S) & (came_m < SERVED_MPS * lasts_s)
    arrival_s, departure_s = _braked(recorded, before, after, at_m)
    passed_s = np.clip(_passed_s(recorded, trip[before], at_m), recorded.time_s[before], recorded.time_s[after])
    return Passages(
        trip=trip[before],
        before=before,
        after=after,
        at_m=at_m,
        others=others,
        is_served=is_served,
        arrival_s=np.where(is_served, arrival_s, passed_s),
        departure_s=np.where(is_served, departure_s, passed_s),
    )


def _places(recorded: Recorded, trip: IntArray, before: IntArray, after: IntArray) -> tuple[FloatArray, IntArray]:
    """Where along its trip's line the stop of each passage is, and how many other trips tell that."""
    middle_m = (recorded.place_m[before] + recorded.place_m[after]) / 2
    step_m = (
        recorded.place_m[np.minimum(after + 1, len(recorded.time_s) - 1)] - recorded.place_m[np.maximum(before - 1, 0)]
    )
    course = step_m / np.maximum(np.hypot(*step_m.T), 1.0)[:, np.newaxis]
    near = cKDTree(middle_m).query_ball_point(middle_m, NEAR_M)
    at_m, others = np.full(len(before), np.nan), np.zeros(len(before), dtype=np.int32)
    for row, found in enumerate(near):
        other = np.array(found, dtype=np.int32)
        other = other[(trip[other] != trip[row]) & (course[other] @ course[row] > SAME_WAY)]
        spans_m = _spans_m(recorded, int(trip[row]), int(before[row]), before[other], after[other])
        here_m = recorded.way_m[[before[row], after[row]]]
        spans_m = spans_m[(spans_m[:, 1] > here_m[0] - OTHERS_M) & (spans_m[:, 0] < here_m[1] + OTHERS_M)]
        others[row] = len(spans_m)
        if len(spans_m) >= LEAST_OTHERS:
            place_m = _most_covered(spans_m)
            is_here = here_m[0] - MISSED_M <= place_m <= here_m[1] + MISSED_M
            at_m[row] = place_m if is_here else np.nan
    return at_m, others


def _in_order(trip: IntArray, at_m: FloatArray) -> FloatArray:
    """Places without those that lie behind one before on the same trip."""
    found, farthest_m, here = at_m.copy(), -np.inf, -1
    for row in range(len(at_m)):
        if trip[row] != here:
            here, farthest_m = int(trip[row]), -np.inf
        if found[row] <= farthest_m:
            found[row] = np.nan
        farthest_m = np.fmax(farthest_m, found[row])
    return found


def _spans_m(recorded: Recorded, trip: int, before: int, first: IntArray, last: IntArray) -> FloatArray:
    """Positions before and after other passages along a trip's line near one of its own, shape (others, 2)."""
    line = recorded.line(trip)
    here = int(np.searchsorted(line, before))
    corners = line[max(0, here - 12) : here + 13]
    if len(corners) < 2 or not len(first):  # noqa: PLR2004 - one corner is no line
        return np.empty((0, 2))
    part = shapely.LineString(recorded.place_m[corners])
    ends = shapely.points(recorded.place_m[np.column_stack((first, last))])
    along_m = shapely.line_locate_point(part, ends) + recorded.way_m[corners[0]]
    spans_m: FloatArray = along_m[shapely.distance(part, ends).max(axis=1) <= ASIDE_M]
    return spans_m


def _most_covered(spans_m: FloatArray) -> float:
    """Middle of the first stretch that lies within most spans."""
    ends_m = np.unique(spans_m)
    count = (spans_m[:, :1] <= ends_m[:-1]).astype(np.int64) & (spans_m[:, 1:] >= ends_m[1:])
    covered = count.sum(axis=0)
    if not len(covered):
        return float(ends_m[0])
    best = int(covered.argmax())
    return float(ends_m[best : best + 2].mean())


def _passed_s(recorded: Recorded, trip: IntArray, at_m: FloatArray) -> FloatArray:
    """When each trip first was at a place along its line, at even speed between two positions; NaN without a place."""
    found = np.full(len(at_m), np.nan)
    for each in np.unique(trip).tolist():
        of_trip, here = trip == each, recorded.rows(each)
        found[of_trip] = crossing_s(recorded.time_s[here], recorded.way_m[here], at_m[of_trip])
    return found


def crossing_s(time_s: FloatArray, way_m: FloatArray, at_m: FloatArray) -> FloatArray:
    """When a bus was first so far, at even speed between two positions; NaN before the first and after the last."""
    risen, first = np.unique(way_m, return_index=True)
    # the last position of a stand, from which it goes on
    last = np.append(first[1:] - 1, len(way_m) - 1)
    times_s, knots_m = np.column_stack((time_s[first], time_s[last])).reshape(-1), np.repeat(risen, 2)
    after = np.searchsorted(knots_m, at_m, side="left")
    known = (after < len(knots_m)) & (at_m >= knots_m[0])
    after = np.minimum(np.maximum(after, 1), len(knots_m) - 1)
    gap_m = knots_m[after] - knots_m[after - 1]
    share = np.where(gap_m > 0, (at_m - knots_m[after - 1]) / np.where(gap_m > 0, gap_m, 1.0), 1.0)
    return np.where(known, times_s[after - 1] + share * (times_s[after] - times_s[after - 1]), np.nan)


def _braked(recorded: Recorded, before: IntArray, after: IntArray, at_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Arrival and departure of a bus that stood between two positions: even braking takes 2 d / v over a distance d."""
    end = len(recorded.time_s) - 1
    at_m = np.clip(at_m, recorded.way_m[before], recorded.way_m[after])
    came_mps = _speed_mps(recorded, np.maximum(before - 1, 0), before)
    went_mps = _speed_mps(recorded, after, np.minimum(after + 1, end))
    arrival_s = recorded.time_s[before] + 2 * (at_m - recorded.way_m[before]) / came_mps
    departure_s = recorded.time_s[after] - 2 * (recorded.way_m[after] - at_m) / went_mps
    # a silence too short for both is cut in the middle
    middle_s = np.clip((arrival_s + departure_s) / 2, recorded.time_s[before], recorded.time_s[after])
    crossed = arrival_s > departure_s
    return np.where(crossed, middle_s, arrival_s), np.where(crossed, middle_s, departure_s)


def _speed_mps(recorded: Recorded, first: IntArray, last: IntArray) -> FloatArray:
    came_m, lasts_s = recorded.way_m[last] - recorded.way_m[first], recorded.time_s[last] - recorded.time_s[first]
    return np.maximum(came_m / np.where(lasts_s > 0, lasts_s, 1.0), LEAST_MPS)


def thinned(recorded: Recorded, every_s: int) -> Iterator[tuple[int, IntArray]]:
    """For each phase its offset (s) and the positions that are left: of each trip the first at or after every tick.

    The recorder's silences stay: a bus that stands with open doors sends nothing, where another system would.
    """
    for phase_s in range(0, every_s, STEP_S):
        kept = []
        for trip in range(len(recorded)):
            here = recorded.rows(trip)
            times_s = recorded.time_s[here]
            ticks_s = np.arange(times_s[0] // every_s * every_s + phase_s, times_s[-1], every_s)
            rows = np.unique(np.searchsorted(times_s, ticks_s[ticks_s > times_s[0] - every_s]))
            kept.append(here.start + rows)
        yield phase_s, np.concatenate(kept).astype(np.int32)


def pings_of(recorded: Recorded, rows: IntArray) -> Pings:
    """Some positions as a trace whose vehicles tell trip and service day."""
    trip = np.repeat(np.arange(len(recorded), dtype=np.int32), np.diff(recorded.start))[rows]
    nothing, unknown = no_labels(len(rows)), np.full(len(rows), np.nan)
    return Pings(
        time_s=recorded.time_s[rows],
        vehicle=_labels(recorded.vehicles, trip),
        trip=_labels(recorded.trip_ids, trip),
        route=nothing,
        block=nothing,
        start_date=_labels([f"{day:%Y%m%d}" for day in recorded.dates], trip),
        start_time=nothing,
        lat=recorded.lonlat[rows, 1],
        lon=recorded.lonlat[rows, 0],
        heading_deg=unknown,
        speed_mps=unknown,
        odometer_m=recorded.odometer_m[rows],
    )


def _labels(of_trips: Sequence[str], trip: IntArray) -> Labels:
    texts = tuple(dict.fromkeys(of_trips))
    row_of = {text: row for row, text in enumerate(texts)}
    return Labels(np.array([row_of[text] for text in of_trips], dtype=np.int32)[trip], texts)
