"""How evenly vehicles come: headways as they were and as scheduled, and what follows for those who wait.

A headway is the time since the departure before at the same stop, on the same route and in the same direction.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.kernels import headways
from networks.network import NONE, FloatArray

BUNCHED_BELOW = 0.25
"""Share of the scheduled headway under which a vehicle runs bunched with the one ahead."""

GAP_ABOVE = 1.5
"""Times the scheduled headway above which there is a gap."""

GAP_EXCESS_S = 180.0
"""And so much above the scheduled headway there is one, however long that is."""

LEVELS_OF_SERVICE = (("A", 0.21), ("B", 0.30), ("C", 0.39), ("D", 0.52), ("E", 0.74))
"""Greatest coefficient of variation of each level; F above. Transit Capacity and Quality of Service Manual, 2nd ed."""

Integers = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Headways:
    """Headways in seconds, a row a visit, shape (visits,).

    ``actual_s`` is NaN for a visit without a departure and for the first of the day; ``scheduled_s`` for one that was
    not scheduled, and for the first in the timetable.
    """

    actual_s: FloatArray
    scheduled_s: FloatArray

    @property
    def comparable(self) -> BoolArray:
        """Visits that have both headways, the scheduled one above zero: trips at one moment have no plan to keep."""
        return np.isfinite(self.actual_s) & (self.scheduled_s > 0)


@dataclass(frozen=True, slots=True)
class HeadwayAdherence:
    """Regularity of a group of visits; times in seconds, NaN where nothing can be said.

    ``visits`` counts every row, ``headways`` those with both headways, ``cv`` is sd(h - H) / mean(H) over those.
    """

    group: int
    visits: int
    headways: int
    mean_actual_s: float
    mean_scheduled_s: float
    cv: float
    level_of_service: str
    mean_wait_s: float
    excess_wait_s: float
    bunched: int
    gaps: int


def place_rows(*keys: Integers) -> Integers:
    """Number what has the same keys (route, direction, stop), in their order, shape (visits,)."""
    key = np.zeros(len(keys[0]), dtype=np.int64)
    for column in keys:
        # several columns as one number sort much faster, and in the same order
        _, code = np.unique(column, return_inverse=True)
        key = key * (int(code.max(initial=0)) + 1) + code
    numbered: Integers = np.unique(key, return_inverse=True)[1]
    return numbered


def headways_of(place: Integers, scheduled_s: FloatArray, actual_s: FloatArray) -> Headways:
    """Headways of visits, in any order.

    A trip that never came has a scheduled headway, and the vehicle after it a long actual one. Vehicles are taken in
    the order in which they left, so that one that overtook is measured from the one that really was ahead, against the
    headway of its own trip.

    Parameters
    ----------
    place
        Route, direction and stop of each visit as a number from 0, shape (visits,); negative where unknown.
    scheduled_s, actual_s
        Departures, NaN where there is none, shape (visits,).
    """
    return Headways(
        actual_s=_since_previous(place, actual_s, scheduled_s),
        scheduled_s=_since_previous(place, scheduled_s, actual_s),
    )


def _since_previous(place: Integers, departure_s: FloatArray, tie_s: FloatArray) -> FloatArray:
    """Time since the departure before at the same place; of two at one moment the other time decides, then the row."""
    order = np.lexsort((tie_s, departure_s))
    last_s = np.full(int(place.max(initial=NONE)) + 1, np.nan)
    found = np.empty(len(place), dtype=np.float64)
    found[order] = headways(place[order], departure_s[order], last_s, np.empty(len(place), dtype=np.float64))
    return found


def bunched(found: Headways, ratio: float = BUNCHED_BELOW) -> BoolArray:
    """Visits whose vehicle came too soon after the one ahead, shape (visits,)."""
    return found.comparable & (found.actual_s < ratio * found.scheduled_s)


def gaps(found: Headways, ratio: float = GAP_ABOVE, excess_s: float = GAP_EXCESS_S) -> BoolArray:
    """Visits whose vehicle came too long after the one ahead, shape (visits,)."""
    limit_s = np.minimum(ratio * found.scheduled_s, found.scheduled_s + excess_s)
    return found.comparable & (found.actual_s > limit_s)


def coefficient_of_variation(actual_s: FloatArray, scheduled_s: FloatArray) -> float:
    """Coefficient of variation of headways, sd(h - H) / mean(H); NaN below two headways.

    The manual prints the formula and does not say which standard deviation. Ours is that of the population: every
    vehicle that passed is in it, and only so is mean(h) / 2 * (1 + cv^2) the mean wait under an even timetable.
    """
    if len(actual_s) < 2:  # noqa: PLR2004 - one headway does not vary
        return np.nan
    return float(np.std(actual_s - scheduled_s) / np.mean(scheduled_s))


def level_of_service(cv: float) -> str:
    """A to F of a coefficient of variation of headways; nothing where there is none."""
    if np.isnan(cv):
        return ""
    return next((level for level, highest in LEVELS_OF_SERVICE if cv <= highest), "F")


def mean_wait_s(headway_s: FloatArray) -> float:
    """Mean wait of passengers who come at random, sum(h^2) / (2 sum(h)); NaN without a headway above zero."""
    total_s = float(np.nansum(headway_s))
    return float(np.nansum(np.square(headway_s))) / (2.0 * total_s) if total_s > 0 else np.nan


def headway_adherence(found: Headways, group: Integers) -> tuple[HeadwayAdherence, ...]:
    """Regularity of each group of visits, by its number; negative groups are left out.

    Excess wait is the actual mean wait less the scheduled one. All headways of a kind count for them, the scheduled
    ones of trips that never came too: passengers had been promised those.
    """
    is_bunched, is_gap = bunched(found), gaps(found)
    rows = (np.flatnonzero(group == number) for number in np.unique(group[group >= 0]))
    return tuple(_adherence(int(group[row[0]]), found, row, is_bunched[row], is_gap[row]) for row in rows)


def _adherence(
    group: int, found: Headways, rows: npt.NDArray[np.intp], is_bunched: BoolArray, is_gap: BoolArray
) -> HeadwayAdherence:
    both = rows[found.comparable[rows]]
    actual_s, scheduled_s = found.actual_s[both], found.scheduled_s[both]
    cv = coefficient_of_variation(actual_s, scheduled_s)
    wait_s = mean_wait_s(found.actual_s[rows])
    return HeadwayAdherence(
        group=group,
        visits=len(rows),
        headways=len(both),
        mean_actual_s=float(actual_s.mean()) if len(both) else np.nan,
        mean_scheduled_s=float(scheduled_s.mean()) if len(both) else np.nan,
        cv=cv,
        level_of_service=level_of_service(cv),
        mean_wait_s=wait_s,
        excess_wait_s=wait_s - mean_wait_s(found.scheduled_s[rows]),
        bunched=int(is_bunched.sum()),
        gaps=int(is_gap.sum()),
    )
