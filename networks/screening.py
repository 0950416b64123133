"""Network screening: which sites stand out by their crash records.

So far by frequency, the plain count. A plain count picks the sites that were unlucky in those years together with the
dangerous ones, and the unlucky become ordinary again with nothing done: regression to the mean. The 50 sites of Porto
Alegre with the most injury crashes in a year had a quarter to a third fewer in the next, while the city as a whole had
as many. No before-after claim may rest on such a choice.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from networks.crash_columns import SeverityWeights
from networks.crash_sites import CrashMatches
from networks.crashes import Crashes, Severity
from networks.geometry import to_lonlat
from networks.network import NONE, RoadNetwork
from networks.sites import Site

_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A site in the ranking. Ids are those of the network; ``weighted`` sums the severity weights of its crashes.

    ``crashes_per_year`` and ``median_match_distance_m`` are NaN where no record tells its time, or none is there.
    """

    rank: int
    site: str
    junctions: tuple[str, ...]
    signals: tuple[str, ...]
    street_names: tuple[str, ...]
    lon: float
    lat: float
    x_m: float
    y_m: float
    legs: int
    crashes: int
    injury_crashes: int
    fatal_crashes: int
    deaths: int
    injured: int
    weighted: float
    crashes_per_year: float
    median_match_distance_m: float


@dataclass(frozen=True, slots=True, eq=False)
class _Counts:
    """Per site, shape (sites,)."""

    crashes: npt.NDArray[np.int64]
    injury: npt.NDArray[np.int64]
    fatal: npt.NDArray[np.int64]
    deaths: npt.NDArray[np.int64]
    injured: npt.NDArray[np.int64]
    weighted: npt.NDArray[np.float64]


def rank_by_frequency(
    network: RoadNetwork,
    sites: tuple[Site, ...],
    crashes: Crashes,
    matches: CrashMatches,
    *,
    top: int,
    signalised_only: bool = False,
    weights: SeverityWeights | None = None,
) -> tuple[Hotspot, ...]:
    """The ``top`` sites with the most crashes, of all or of those with a signal; fewer where not so many had one.

    Among equals the higher weighted sum comes first, then the lower site id.
    """
    counts = _count(len(sites), crashes, matches, weights or SeverityWeights())
    hit = [row for row in np.flatnonzero(counts.crashes).tolist() if sites[row].signals or not signalised_only]
    order = sorted(hit, key=lambda row: (-counts.crashes[row], -counts.weighted[row], sites[row].site_id))[:top]
    years = observed_years(crashes)
    lonlat = to_lonlat(network.location, [(sites[row].x_m, sites[row].y_m) for row in order])
    return tuple(
        Hotspot(
            rank=rank,
            site=sites[row].site_id,
            junctions=tuple(network.junctions.ids[junction] for junction in sites[row].junctions),
            signals=tuple(network.signals[signal].signal_id for signal in sites[row].signals),
            street_names=sites[row].street_names,
            lon=round(float(lon), 6),
            lat=round(float(lat), 6),
            x_m=sites[row].x_m,
            y_m=sites[row].y_m,
            legs=sites[row].legs,
            crashes=int(counts.crashes[row]),
            injury_crashes=int(counts.injury[row]),
            fatal_crashes=int(counts.fatal[row]),
            deaths=int(counts.deaths[row]),
            injured=int(counts.injured[row]),
            weighted=float(counts.weighted[row]),
            crashes_per_year=round(float(counts.crashes[row]) / years, 2) if years else np.nan,
            median_match_distance_m=round(float(np.median(matches.distance_m[matches.site == row])), 1),
        )
        for rank, (row, (lon, lat)) in enumerate(zip(order, lonlat.tolist(), strict=True), start=1)
    )


def observed_years(crashes: Crashes) -> float:
    """Length of the period that the files cover, in years: all months from each file's first record to its last."""
    months: set[int] = set()
    for number in range(len(crashes.files)):
        times = crashes.time[(crashes.file == number) & ~np.isnat(crashes.time)]
        if len(times):
            first, last = (int(time.astype("datetime64[M]").astype(int)) for time in (times.min(), times.max()))
            months.update(range(first, last + 1))
    return len(months) / _MONTHS_PER_YEAR


def _count(sites: int, crashes: Crashes, matches: CrashMatches, weights: SeverityWeights) -> _Counts:
    rows = np.flatnonzero(matches.site != NONE)
    site, severity = matches.site[rows], crashes.severity[rows]
    by_severity = np.array([weights.damage, weights.injury, weights.fatal])
    return _Counts(
        crashes=np.bincount(site, minlength=sites),
        injury=np.bincount(site[severity == Severity.INJURY], minlength=sites),
        fatal=np.bincount(site[severity == Severity.FATAL], minlength=sites),
        deaths=_sums(site, crashes.deaths[rows], sites).astype(np.int64),
        injured=_sums(site, crashes.injured[rows], sites).astype(np.int64),
        weighted=_sums(site, by_severity[severity], sites),
    )


def _sums(site: npt.NDArray[np.integer], values: npt.NDArray[np.generic], sites: int) -> npt.NDArray[np.float64]:
    totals: npt.NDArray[np.float64] = np.bincount(site, weights=values, minlength=sites).astype(np.float64)
    return totals
