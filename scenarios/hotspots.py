"""Where crashes concentrate: crash files and a network in; ranked sites as tables, GeoJSON and a map out."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from networks.crash_columns import ColumnMap, read_column_map
from networks.crash_sites import CrashMatches, match_crashes
from networks.crashes import Crashes, Severity, read_crashes
from networks.faults import InputError, Notice
from networks.network import NONE, RoadNetwork
from networks.outfile import write_text
from networks.screening import Hotspot, rank_by_frequency
from networks.sites import Site, find_sites
from scenarios.content import Origin
from scenarios.hotspot_map import draw_hotspots
from scenarios.tables import write_csv


@dataclass(frozen=True, eq=False)
class Screening:
    """Crash records matched to the sites of a network, and the sites in their order."""

    network: RoadNetwork
    sites: tuple[Site, ...]
    crashes: Crashes
    matches: CrashMatches
    hotspots: tuple[Hotspot, ...]
    notices: tuple[Notice, ...]

    @property
    def origin(self) -> Origin:
        """Where the records come from, whether any was made up, and how many were matched to a site."""
        files = ", ".join(Path(file).name for file in self.crashes.files)
        return Origin(
            files, is_synthetic=bool(self.crashes.synthetic.any()), records=int((self.matches.site != NONE).sum())
        )


@dataclass(frozen=True, slots=True)
class HotspotRow:
    """A row of ``hotspots.csv``. Several ids or names in one cell are parted by `` | ``, ``site`` is a junction."""

    rank: int
    site: str
    street_names: str
    lon: float
    lat: float
    x_m: float
    y_m: float
    legs: int
    signals: str
    junctions: str
    crashes: int
    injury_crashes: int
    fatal_crashes: int
    deaths: int
    injured: int
    weighted: float
    crashes_per_year: float
    median_match_distance_m: float


@dataclass(frozen=True, slots=True)
class MatchedCrash:
    """A row of ``crashes_matched.csv``: a record, and to which site it was given, how far away and why."""

    file: str
    row: int
    time: str
    lon: float
    lat: float
    x_m: float
    y_m: float
    severity: str
    deaths: int
    injured: int
    type: str
    street: str
    cross_street: str
    parties: str
    synthetic: bool
    site: str
    distance_m: float
    method: str


def screen_hotspots(
    network: RoadNetwork,
    crash_paths: Sequence[str | Path],
    columns_path: str | Path | None = None,
    *,
    top: int,
    signalised_only: bool = False,
) -> Screening:
    """Match crash records to the sites of a network and rank the sites by frequency.

    Parameters
    ----------
    crash_paths, columns_path
        Files of records, and the column map (TOML) for what is not recognised in them.
    top
        How many sites to rank.
    signalised_only
        Rank only sites that have a signal.

    Raises
    ------
    InputError
        As :func:`networks.crash_columns.read_column_map` and :func:`networks.crashes.read_crashes`; NO_HOTSPOTS where
        no record was near a site.
    """
    columns = ColumnMap() if columns_path is None else read_column_map(columns_path)
    crashes, notices = read_crashes(crash_paths, network, columns)
    sites = find_sites(network)
    matches = match_crashes(network, sites, crashes)
    hotspots = rank_by_frequency(
        network, sites, crashes, matches, top=top, signalised_only=signalised_only, weights=columns.weights
    )
    if not hotspots:
        raise InputError(
            "NO_HOTSPOTS",
            f"none of {len(crashes)} records lies near a junction" + " with a signal" * signalised_only,
            file=crashes.files[0],
            remedy="Check that the network covers the place of the records and has its junctions",
        )
    return Screening(network, sites, crashes, matches, hotspots, notices)


def write_hotspots(screening: Screening, out_dir: str | Path) -> None:
    """Write hotspots.csv, hotspots.geojson, crashes_matched.csv, notices.csv and figures/hotspots.png.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    folder = Path(out_dir)
    rows = [_row(spot) for spot in screening.hotspots]
    write_csv(folder / "hotspots.csv", HotspotRow, rows)
    write_text(folder / "hotspots.geojson", _geojson(rows))
    write_csv(folder / "crashes_matched.csv", MatchedCrash, _matched(screening))
    write_csv(folder / "notices.csv", Notice, screening.notices)
    draw_hotspots(folder / "figures" / "hotspots.png", screening.network, screening.crashes, screening.hotspots)


def hotspots_json(screening: Screening) -> dict[str, object]:
    """The ranking and what it rests on, ready for JSON."""
    origin, methods = screening.origin, screening.matches.method
    return {
        "method": "frequency",
        "caveat": "A plain count overstates: such sites tend to have fewer crashes later with nothing done",
        "is_synthetic": origin.is_synthetic,
        "files": list(screening.crashes.files),
        "records": len(screening.crashes),
        "matched": origin.records,
        "matched_by": {method: methods.count(method) for method in sorted(set(methods))},
        "sites": len(screening.sites),
        "hotspots": [_plain(asdict(spot)) for spot in screening.hotspots],
        "notices": [asdict(notice) for notice in screening.notices],
    }


def _plain(record: dict[str, object]) -> dict[str, object]:
    """A record without NaN, which JSON does not have."""
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in record.items()}


def _row(spot: Hotspot) -> HotspotRow:
    lists = {name: " | ".join(getattr(spot, name)) for name in ("street_names", "signals", "junctions")}
    return HotspotRow(**{**asdict(spot), **lists})


def _geojson(rows: list[HotspotRow]) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row.lon, row.lat]},
            "properties": _plain(asdict(row)),
        }
        for row in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1) + "\n"


def _matched(screening: Screening) -> Iterator[MatchedCrash]:
    crashes, matches = screening.crashes, screening.matches
    names = [Path(file).name for file in crashes.files]
    for number in range(len(crashes)):
        site = int(matches.site[number])
        time = crashes.time[number]
        yield MatchedCrash(
            file=names[crashes.file[number]],
            row=int(crashes.row[number]),
            time="" if str(time) == "NaT" else str(time),
            lon=float(crashes.lon[number]),
            lat=float(crashes.lat[number]),
            x_m=round(float(crashes.x_m[number]), 2),
            y_m=round(float(crashes.y_m[number]), 2),
            severity=Severity(crashes.severity[number]).name.lower(),
            deaths=int(crashes.deaths[number]),
            injured=int(crashes.injured[number]),
            type=crashes.type[number],
            street=crashes.street[number],
            cross_street=crashes.cross_street[number],
            parties=crashes.parties[number],
            synthetic=bool(crashes.synthetic[number]),
            site="" if site == NONE else screening.sites[site].site_id,
            distance_m=round(float(matches.distance_m[number]), 1),
            method=matches.method[number],
        )
