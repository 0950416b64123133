"""How deviation spreads over visits of one kind, such as those of a route in an hour."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.on_time import OnTimeCounts, on_time_counts
from networks.network import NONE, FloatArray

Integers = npt.NDArray[np.integer]
PERCENTILES = (10, 50, 90)


@dataclass(frozen=True, slots=True)
class DeviationSpread:
    """Deviation (s) of the visits of a route in an hour, over those that have one; NaN where none has.

    ``count`` is how many have one; ``on_time`` counts all, so that missing trips weigh in its share.
    """

    route: int
    hour: int
    count: int
    mean_s: float
    p10_s: float
    p50_s: float
    p90_s: float
    on_time: OnTimeCounts

    @property
    def on_time_share(self) -> float:
        """Share of what was due that was on time; NaN where nothing was."""
        return self.on_time.on_time_share


def service_hours(scheduled_s: FloatArray) -> Integers:
    """Hour of the service day of each time, 24 and more after midnight, NONE without a time, shape (visits,)."""
    is_timed = np.isfinite(scheduled_s)
    hours: Integers = np.full(len(scheduled_s), NONE, dtype=np.int32)
    hours[is_timed] = scheduled_s[is_timed] // 3600
    return hours


def deviation_spread(
    route: Integers, hour: Integers, deviation_s: FloatArray, found: Integers
) -> tuple[DeviationSpread, ...]:
    """Spread by route and hour, in that order. Percentiles are interpolated between the nearest two deviations.

    Parameters
    ----------
    route, hour
        Groups of the visits, shape (visits,).
    deviation_s
        Actual minus scheduled, NaN where unknown or missing, shape (visits,).
    found
        Values of :class:`gtfs.on_time.Punctuality`, shape (visits,).
    """
    groups, inverse = np.unique(np.column_stack((route, hour)), axis=0, return_inverse=True)
    member = inverse.reshape(-1)
    return tuple(
        _spread(int(group[0]), int(group[1]), deviation_s[member == row], found[member == row])
        for row, group in enumerate(groups)
    )


def _spread(route: int, hour: int, deviation_s: FloatArray, found: Integers) -> DeviationSpread:
    known_s = deviation_s[np.isfinite(deviation_s)]
    low_s, middle_s, high_s = np.percentile(known_s, PERCENTILES).tolist() if len(known_s) else [np.nan] * 3
    return DeviationSpread(
        route=route,
        hour=hour,
        count=len(known_s),
        mean_s=float(known_s.mean()) if len(known_s) else np.nan,
        p10_s=low_s,
        p50_s=middle_s,
        p90_s=high_s,
        on_time=on_time_counts(found),
    )
