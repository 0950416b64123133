"""Files, or years of them, whose coordinates are all off by the same way: another datum, or a shift that somebody made.

Records that name both streets of a crossing tell: on the median they should lie in its middle.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from networks.crash_sites import CROSS_STREET, CrashMatches
from networks.crashes import Crashes
from networks.faults import Notice
from networks.network import FloatArray
from networks.sites import Site

MIN_RECORDS = 50
LEAST_SHIFT_M = 5.0
"""Below this it may be the difference between a crossing's middle and where the police put it."""

GRAVE_SHIFT_M = 30.0
"""So far off, records between crossings would be counted at crossings, and the other way round."""

ALIKE_M, ALIKE_SHARE = 10.0, 0.5
"""Only where so many records are off by nearly the same are they moved."""

_COMPASS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")
_UNKNOWN_YEAR = "NaT"


@dataclass(frozen=True, slots=True)
class Shift:
    """How far the records of a year of a file lie from the crossings that they name, on the median.

    ``file`` is a position in the files, ``year`` a text (``NaT`` where no time is told), ``alike`` the share of records
    that are off by nearly that.
    """

    file: int
    year: str
    east_m: float
    north_m: float
    records: int
    alike: float

    @property
    def length_m(self) -> float:
        """How far."""
        return float(np.hypot(self.east_m, self.north_m))

    @property
    def is_moved(self) -> bool:
        """Whether the records are to be moved back by it: it is grave, and the same for most."""
        return self.length_m >= GRAVE_SHIFT_M and self.alike >= ALIKE_SHARE


def find_shifts(sites: tuple[Site, ...], crashes: Crashes, matches: CrashMatches) -> tuple[Shift, ...]:
    """The shifts of all years of all files that have enough records to tell."""
    rows = np.flatnonzero([method == CROSS_STREET for method in matches.method])
    middle = np.array([(site.x_m, site.y_m) for site in sites]).reshape(-1, 2)
    off_m = np.column_stack((crashes.x_m, crashes.y_m))[rows] - middle[matches.site[rows]]
    files, years = crashes.file[rows], _years(crashes)[rows]
    groups = sorted(set(zip(files.tolist(), years.tolist(), strict=True)))
    return tuple(_shifts(groups, files, years, off_m))


def _years(crashes: Crashes) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    return crashes.time.astype("datetime64[Y]").astype(str)


def _shifts(
    groups: list[tuple[int, str]],
    files: np.ndarray[tuple[int], np.dtype[np.int32]],
    years: np.ndarray[tuple[int], np.dtype[np.str_]],
    off_m: FloatArray,
) -> Iterator[Shift]:
    for file, year in groups:
        here = off_m[(files == file) & (years == year)]
        if len(here) >= MIN_RECORDS:
            east_m, north_m = np.median(here, axis=0).tolist()
            alike = float((np.hypot(*(here - (east_m, north_m)).T) <= ALIKE_M).mean())
            yield Shift(file, year, east_m, north_m, len(here), alike)


def move_back(crashes: Crashes, shifts: tuple[Shift, ...]) -> Crashes:
    """The records without their grave shifts; degrees stay as they were written."""
    x_m, y_m, years = crashes.x_m.copy(), crashes.y_m.copy(), _years(crashes)
    for shift in shifts:
        if shift.is_moved:
            which = (crashes.file == shift.file) & (years == shift.year)
            x_m[which] -= shift.east_m
            y_m[which] -= shift.north_m
    return replace(crashes, x_m=x_m, y_m=y_m)


def shift_notices(crashes: Crashes, shifts: tuple[Shift, ...]) -> tuple[Notice, ...]:
    """A notice for each shift that is more than a crossing's middle may be off."""
    return tuple(_notice(crashes.files[shift.file], shift) for shift in shifts if shift.length_m >= LEAST_SHIFT_M)


def direction(east_m: float, north_m: float) -> str:
    """The way as one of eight winds."""
    return _COMPASS[round(float(np.degrees(np.arctan2(north_m, east_m))) / 45) % 8]


def _notice(file: str, shift: Shift) -> Notice:
    way = direction(shift.east_m, shift.north_m)
    when = "" if shift.year == _UNKNOWN_YEAR else f" in {shift.year}"
    done = "they were moved back by it; check" if shift.is_moved else "check"
    remedy = f"Records lie so far from the crossings that they name: {done} `crs` and the datum of coordinates"
    severity = "warning" if shift.length_m >= GRAVE_SHIFT_M else "info"
    return Notice("CRASH_SHIFT", severity, file, None, "", f"{shift.length_m:.0f} m {way}{when}", remedy, shift.records)
