"""Crashes counted at sites, and over how long."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from networks.crash_columns import SeverityWeights
from networks.crash_sites import CrashMatches
from networks.crashes import Crashes, Severity
from networks.network import NONE

_MONTHS_PER_YEAR = 12

FloatArray = npt.NDArray[np.float64]
CountArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SiteCounts:
    """Crashes of each site, shape (sites,): all, by the worst harm, people, and the sum of severity weights."""

    crashes: CountArray
    injury: CountArray
    fatal: CountArray
    deaths: CountArray
    injured: CountArray
    weighted: FloatArray

    @property
    def damage(self) -> CountArray:
        """Crashes in which nobody was hurt."""
        return self.crashes - self.injury - self.fatal

    def counted(self, *, injury_only: bool) -> FloatArray:
        """What a ranking counts: all crashes, or those that hurt or killed somebody."""
        return (self.injury + self.fatal if injury_only else self.crashes).astype(np.float64)


def count_at_sites(
    sites: int, crashes: Crashes, matches: CrashMatches, weights: SeverityWeights | None = None
) -> SiteCounts:
    """Count matched records at each site."""
    rows = np.flatnonzero(matches.site != NONE)
    site, severity = matches.site[rows], crashes.severity[rows]
    scale = weights or SeverityWeights()
    by_severity = np.array([scale.damage, scale.injury, scale.fatal])
    return SiteCounts(
        crashes=np.bincount(site, minlength=sites),
        injury=np.bincount(site[severity == Severity.INJURY], minlength=sites),
        fatal=np.bincount(site[severity == Severity.FATAL], minlength=sites),
        deaths=_sums(site, crashes.deaths[rows], sites).astype(np.int64),
        injured=_sums(site, crashes.injured[rows], sites).astype(np.int64),
        weighted=_sums(site, by_severity[severity], sites),
    )


def _sums(site: npt.NDArray[np.integer], values: npt.NDArray[np.generic], sites: int) -> FloatArray:
    totals: FloatArray = np.bincount(site, weights=values, minlength=sites).astype(np.float64)
    return totals


def observed_years(crashes: Crashes) -> float:
    """Length of the period that the files cover, in years: all months from each file's first record to its last."""
    months: set[int] = set()
    for number in range(len(crashes.files)):
        times = crashes.time[(crashes.file == number) & ~np.isnat(crashes.time)]
        if len(times):
            first, last = (int(time.astype("datetime64[M]").astype(int)) for time in (times.min(), times.max()))
            months.update(range(first, last + 1))
    return len(months) / _MONTHS_PER_YEAR


def last_years(crashes: Crashes, years: int) -> npt.NDArray[np.bool_]:
    """Mask of the records of the last so many times twelve months, by the month of the latest; none without a time."""
    known = ~np.isnat(crashes.time)
    wanted = np.zeros(len(crashes), dtype=bool)
    if known.any():
        months = crashes.time.astype("datetime64[M]")
        wanted[known] = months[known] > months[known].max() - np.timedelta64(_MONTHS_PER_YEAR * years, "M")
    return wanted


def of_years(crashes: Crashes, first: int, last: int) -> npt.NDArray[np.bool_]:
    """Mask of the records of calendar years, both included."""
    known = ~np.isnat(crashes.time)
    year = np.full(len(crashes), NONE)
    year[known] = crashes.time[known].astype("datetime64[Y]").astype(int) + 1970
    wanted: npt.NDArray[np.bool_] = (year >= first) & (year <= last)
    return wanted
