"""What others offer to tell how late vehicles are: the nearest place on the whole line, by three libraries.

Each is used as its users would: whole columns at a time, a trip (shapely), many trips (geopandas) or a collection of
trajectories (movingpandas). All get the trips as the replay found them, lines in metres and the places of calls, and
put positions on the same plane as the lines themselves.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import geopandas  # type: ignore[import-untyped]  # it gives no types
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Proj

from gtfs.trace_kernels import Samples
from gtfs.trace_plan import TracePlan
from networks.network import FloatArray

ZONE_M = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A vehicle on a trip, as peers are given it.

    Attributes
    ----------
    rows
        Its pings among the samples, by time.
    lonlat, time_s, clock_s
        Degrees, epoch seconds and seconds on the clock of its day.
    line, stops
        The trip's line and its stops on the plane.
    call_m, call_s
        Where along the line its calls are, and when they are to depart.
    """

    rows: slice
    lonlat: FloatArray
    time_s: FloatArray
    clock_s: FloatArray
    line: shapely.LineString
    stops: npt.NDArray[np.object_]
    call_m: FloatArray
    call_s: FloatArray


@dataclass(frozen=True, slots=True)
class Answer:
    """Places along their lines and deviations of the pings of some courses, one after the other."""

    way_m: FloatArray
    deviation_s: FloatArray


Peer = Callable[[Sequence[Course], str], Answer]
"""Answers for some courses; the plane is a definition for pyproj."""


def plane_of(samples: Samples) -> str:
    """A plane that touches the ellipsoid amid the pings."""
    return f"+proj=tmerc +lat_0={np.median(samples.lat):.2f} +lon_0={np.median(samples.lon):.2f} +ellps=WGS84 +units=m"


def courses(plan: TracePlan, samples: Samples, plane: str) -> list[Course]:
    """The courses of samples that lie by vehicle and time; those of one ping are left out."""
    projection = Proj(plane)
    changes = np.flatnonzero(np.diff(samples.performed, prepend=-1, append=-1))
    return [
        _course(plan, samples, slice(first, behind), projection)
        for first, behind in zip(changes[:-1].tolist(), changes[1:].tolist(), strict=True)
        if behind - first > 1
    ]


def _course(plan: TracePlan, samples: Samples, rows: slice, projection: Proj) -> Course:
    trip, lines = int(samples.trip[rows.start]), plan.lines
    pattern = plan.timetable.trips.pattern[trip]
    frame, corners = lines.frame[pattern], slice(*lines.start[pattern : pattern + 2].tolist())
    calls = slice(*plan.calls.start[trip : trip + 2].tolist())
    corner = lines.corner_m[corners] / frame[2:] + frame[:2]
    return Course(
        rows=rows,
        lonlat=np.column_stack((samples.lon[rows], samples.lat[rows])),
        time_s=samples.time_s[rows],
        clock_s=samples.clock_s[rows],
        line=shapely.LineString(np.column_stack(projection(*corner.T))),
        stops=shapely.points(np.column_stack(projection(*plan.kernel_plan.call_lonlat[calls].T))),
        call_m=plan.calls.distance_m[calls],
        call_s=plan.calls.departure_s[calls],
    )


def by_shapely(some: Sequence[Course], plane: str) -> Answer:
    """Trip by trip: all its pings on its line in one call."""
    projection = Proj(plane)
    return _answer(
        some,
        [
            shapely.line_locate_point(each.line, shapely.points(np.column_stack(projection(*each.lonlat.T))))
            for each in some
        ],
    )


def by_geopandas(some: Sequence[Course], plane: str) -> Answer:
    """All pings of many trips in one call, each on its own line."""
    lonlat = np.concatenate([each.lonlat for each in some])
    points = geopandas.GeoSeries.from_xy(*lonlat.T, crs="EPSG:4326").to_crs(plane)
    owner = np.repeat(np.arange(len(some)), [len(each.time_s) for each in some])
    lines = geopandas.GeoSeries([each.line for each in some], crs=plane).take(owner).reset_index(drop=True)
    way_m = lines.project(points, align=False).to_numpy()
    return _answer(some, np.split(way_m, np.cumsum([len(each.time_s) for each in some])[:-1]))


def by_movingpandas(some: Sequence[Course], plane: str) -> Answer:
    """A collection of trajectories, each projected on its line."""
    return _answer(
        some,
        [
            shapely.line_locate_point(each.line, path.df.geometry.to_numpy())
            for path, each in zip(_trajectories(some, plane), some, strict=True)
        ],
    )


def by_movingpandas_with_stops(some: Sequence[Course], plane: str) -> Answer:
    """The same, and times at stops: each trajectory clipped to a circle around each stop of its trip."""
    for path, each in zip(_trajectories(some, plane), some, strict=True):
        for circle in shapely.buffer(each.stops, ZONE_M):
            for part in path.clip(circle).trajectories:
                part.get_start_time()
    return by_movingpandas(some, plane)


def _trajectories(some: Sequence[Course], plane: str) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # when imported it misses parts that nobody here needs
        import movingpandas  # type: ignore[import-untyped]  # noqa: PLC0415 - see above
    lonlat = np.concatenate([each.lonlat for each in some])
    table = geopandas.GeoDataFrame(
        {
            "course": np.repeat(np.arange(len(some)), [len(each.time_s) for each in some]),
            "time": pd.to_datetime(np.concatenate([each.time_s for each in some]), unit="s"),
        },
        geometry=geopandas.points_from_xy(*lonlat.T),
        crs="EPSG:4326",
    ).to_crs(plane)
    found: list[Any] = movingpandas.TrajectoryCollection(table, "course", t="time").trajectories
    return found


def _answer(some: Sequence[Course], ways: Sequence[FloatArray]) -> Answer:
    planned = (np.interp(way_m, each.call_m, each.call_s) for way_m, each in zip(ways, some, strict=True))
    late = [each.clock_s - planned_s for planned_s, each in zip(planned, some, strict=True)]
    return Answer(np.concatenate(ways), np.concatenate(late))


PEERS: dict[str, Peer] = {
    "shapely": by_shapely,
    "geopandas": by_geopandas,
    "movingpandas": by_movingpandas,
    "movingpandas with times at stops": by_movingpandas_with_stops,
}
COURSES_AT_ONCE = 25


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """What a peer did in some CPU time (s), and its first answers: for the first so many of the courses."""

    pings: int
    used_s: float
    answer: Answer


def turn(peer: Peer, all_courses: Sequence[Course], plane: str, budget_s: float) -> Turn:
    """Let a peer work for some CPU time, or a little longer."""
    pieces = [all_courses[row : row + COURSES_AT_ONCE] for row in range(0, len(all_courses), COURSES_AT_ONCE)]
    pings, answers, place = 0, [], 0
    began_s = time.process_time()
    while (used_s := time.process_time() - began_s) < budget_s:
        some = pieces[place % len(pieces)]
        answer = peer(some, plane)
        answers += [answer] if place < len(pieces) else []
        pings += len(answer.way_m)
        place += 1
    whole = Answer(*(np.concatenate([getattr(one, name) for one in answers]) for name in ("way_m", "deviation_s")))
    return Turn(pings, used_s, whole)


@dataclass(frozen=True, slots=True)
class Difference:
    """How a peer's answers differ from those of the replay on pings that it found on their lines.

    Steps backward of more than 50 m from one ping of a course to its next, of the peer and of the replay; courses with
    some; pings more than 50 m away from the replay's place; and the median difference of deviations (s) of these.
    """

    pings: int
    steps_back: int
    own_steps_back: int
    courses_back: int
    courses: int
    away: int
    away_late_s: float


BACK_M = 50.0


def difference(all_courses: Sequence[Course], answer: Answer, way_m: FloatArray, deviation_s: FloatArray) -> Difference:
    """Compare the answers for the first courses with places and deviations of all samples."""
    lengths = np.array([len(each.time_s) for each in all_courses])
    ends = np.cumsum(lengths)
    some = all_courses[: int(np.searchsorted(ends, len(answer.way_m))) + 1]
    rows = np.fromiter(chain(*(range(each.rows.start, each.rows.stop) for each in some)), dtype=np.int64)
    course = np.repeat(np.arange(len(some)), lengths[: len(some)])
    found = np.isfinite(way_m[rows])
    theirs, ours, course = answer.way_m[found], way_m[rows][found], course[found]
    same = course[1:] == course[:-1]
    back = same & (np.diff(theirs) < -BACK_M)
    away = np.abs(theirs - ours) > BACK_M
    apart_s = np.abs(answer.deviation_s[found] - deviation_s[rows][found])[away]
    return Difference(
        pings=int(found.sum()),
        steps_back=int(back.sum()),
        own_steps_back=int((same & (np.diff(ours) < -BACK_M)).sum()),
        courses_back=len(np.unique(course[1:][back])),
        courses=len(some),
        away=int(away.sum()),
        away_late_s=float(np.median(apart_s)) if len(apart_s) else 0.0,
    )
