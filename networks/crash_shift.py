"""Files whose coordinates are all off by the same way: another datum, or a shift that somebody made.

Records that name both streets of a crossing tell: on the median they should lie in its middle.
"""

import numpy as np

from networks.crash_sites import CROSS_STREET, CrashMatches
from networks.crashes import Crashes
from networks.faults import Notice
from networks.sites import Site

MIN_RECORDS = 50
LEAST_SHIFT_M = 5.0
GRAVE_SHIFT_M = 30.0
"""So far off, records between crossings are counted at crossings, and the other way round."""

_COMPASS = ("east", "north-east", "north", "north-west", "west", "south-west", "south", "south-east")


def shift_notices(sites: tuple[Site, ...], crashes: Crashes, matches: CrashMatches) -> tuple[Notice, ...]:
    """A notice for each file whose records lie beside the crossings that they name, on the median."""
    middle = np.array([(site.x_m, site.y_m) for site in sites]).reshape(-1, 2)
    named = np.array([method == CROSS_STREET for method in matches.method], dtype=bool)
    found = []
    for number, file in enumerate(crashes.files):
        rows = np.flatnonzero(named & (crashes.file == number))
        if len(rows) < MIN_RECORDS:
            continue
        east_m, north_m = np.median(
            np.column_stack((crashes.x_m, crashes.y_m))[rows] - middle[matches.site[rows]], axis=0
        )
        shift_m = float(np.hypot(east_m, north_m))
        if shift_m >= LEAST_SHIFT_M:
            way = _COMPASS[round(float(np.degrees(np.arctan2(north_m, east_m))) / 45) % 8]
            severity = "warning" if shift_m >= GRAVE_SHIFT_M else "info"
            remedy = "Records lie so far from the crossings that they name: check `crs` and the datum of coordinates"
            found.append(Notice("CRASH_SHIFT", severity, file, None, "", f"{shift_m:.0f} m {way}", remedy, len(rows)))
    return tuple(found)
