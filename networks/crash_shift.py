"""Files, or years of them, whose coordinates are all off by the same way: another datum, or a shift that somebody made.

Records that name both streets of a crossing tell: on the median they should lie in its middle.
"""

import numpy as np

from networks.crash_sites import CROSS_STREET, CrashMatches
from networks.crashes import Crashes
from networks.faults import Notice
from networks.network import FloatArray
from networks.sites import Site

MIN_RECORDS = 50
LEAST_SHIFT_M = 5.0
GRAVE_SHIFT_M = 30.0
"""So far off, records between crossings are counted at crossings, and the other way round."""

_COMPASS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")


def shift_notices(sites: tuple[Site, ...], crashes: Crashes, matches: CrashMatches) -> tuple[Notice, ...]:
    """A notice for each year of a file whose records lie beside the crossings that they name, on the median."""
    rows = np.flatnonzero([method == CROSS_STREET for method in matches.method])
    middle = np.array([(site.x_m, site.y_m) for site in sites]).reshape(-1, 2)
    off_m = np.column_stack((crashes.x_m, crashes.y_m))[rows] - middle[matches.site[rows]]
    years = crashes.time[rows].astype("datetime64[Y]").astype(str)
    found = []
    for file, year in sorted(set(zip(crashes.file[rows].tolist(), years.tolist(), strict=True))):
        of_year = off_m[(crashes.file[rows] == file) & (years == year)]
        if len(of_year) >= MIN_RECORDS:
            found += _notice(crashes.files[file], year, np.median(of_year, axis=0), len(of_year))
    return tuple(found)


def _notice(file: str, year: str, median_m: FloatArray, records: int) -> list[Notice]:
    shift_m = float(np.hypot(*median_m))
    if shift_m < LEAST_SHIFT_M:
        return []
    way = _COMPASS[round(float(np.degrees(np.arctan2(median_m[1], median_m[0]))) / 45) % 8]
    severity = "warning" if shift_m >= GRAVE_SHIFT_M else "info"
    when = "" if year == "NaT" else f" in {year}"
    remedy = "Records lie so far from the crossings that they name: check `crs` and the datum of coordinates"
    return [Notice("CRASH_SHIFT", severity, file, None, "", f"{shift_m:.0f} m {way}{when}", remedy, records)]
