"""Where crashes concentrate: crash files and a network in; ranked sites as tables, GeoJSON, a map and a report out."""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from networks.blackspot_rules import BlackspotRule, apply_rule, find_rule
from networks.crash_columns import ColumnMap, SeverityWeights, read_column_map
from networks.crash_displaced import displaced_notices, find_displaced, put_back
from networks.crash_shift import find_shifts, move_back, shift_notices
from networks.crash_sites import CrashMatches, match_crashes
from networks.crashes import Crashes, Severity, read_crashes
from networks.faults import InputError, Notice
from networks.label_agreement import LabelAgreement, label_agreement
from networks.network import NONE, RoadNetwork
from networks.outfile import write_text
from networks.screening import FREQUENCY, RULE, Evidence, Hotspot, rank_sites, weigh_evidence
from networks.site_counts import count_at_sites, last_years, observed_years
from networks.site_exposure import Exposure
from networks.site_traits import SiteTraits, site_traits
from networks.sites import Site, find_sites
from scenarios.before_and_after import before_and_after
from scenarios.content import Origin
from scenarios.hotspot_exposure import find_exposure
from scenarios.hotspot_map import draw_hotspots
from scenarios.tables import write_csv

FIGURES, MAP_FILE = "figures", "hotspots.png"

_LABELS = {1: "junction", 0: "between", NONE: ""}

MaskArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ScreeningOptions:
    """How sites are ranked.

    Attributes
    ----------
    method
        One of :data:`networks.screening.METHODS`.
    top
        How many sites are ranked.
    rule
        A national rule by name or file, for the method ``rule``.
    exposure
        Traffic of sites: a CSV file or the folder of a run.
    years
        How many years before the latest record count; all where None.
    injury_only
        Whether only crashes that hurt or killed somebody count.
    signalised_only
        Whether only sites that have a signal are ranked.
    """

    method: str = FREQUENCY
    top: int = 50
    rule: str | Path | None = None
    exposure: Path | None = None
    years: int | None = None
    injury_only: bool = False
    signalised_only: bool = False


@dataclass(frozen=True, eq=False)
class CrashScene:
    """Crash records matched to the sites of a network, and what is known of the sites themselves."""

    network: RoadNetwork
    sites: tuple[Site, ...]
    traits: SiteTraits
    crashes: Crashes
    matches: CrashMatches
    weights: SeverityWeights
    exposure: Exposure | None
    rule: BlackspotRule | None
    notices: tuple[Notice, ...]


@dataclass(frozen=True, eq=False)
class Screening:
    """Crash records matched to the sites of a network, and the sites in their order."""

    network: RoadNetwork
    sites: tuple[Site, ...]
    crashes: Crashes
    matches: CrashMatches
    hotspots: tuple[Hotspot, ...]
    notices: tuple[Notice, ...]
    evidence: Evidence = field(repr=False)
    options: ScreeningOptions = ScreeningOptions()

    @property
    def agreement(self) -> LabelAgreement | None:
        """How far matching and the labels of the police agree; None where the records have none."""
        return label_agreement(self.crashes, self.matches)

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
    score: float
    observed: int
    predicted: float
    expected: float
    expected_low: float
    expected_high: float
    excess: float
    rank_low: int | None
    rank_high: int | None
    entering_veh_per_day: float
    rate_per_million: float
    critical_rate_per_million: float
    criterion: str


@dataclass(frozen=True, slots=True)
class MatchedCrash:
    """A row of ``crashes_matched.csv``: a record, and to which site it was given, how far away and why.

    ``labelled`` is where the police put it: ``junction``, ``between`` two, or nothing.
    """

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
    labelled: str
    site: str
    distance_m: float
    method: str


def read_scene(
    network: RoadNetwork,
    crash_paths: Sequence[str | Path],
    columns_path: str | Path | None = None,
    *,
    exposure: Path | None = None,
    rule: str | Path | None = None,
) -> CrashScene:
    """Read crash records and what goes with them, and match the records to sites.

    Raises
    ------
    InputError
        As :func:`networks.crash_columns.read_column_map`, :func:`networks.crashes.read_crashes`,
        :func:`scenarios.hotspot_exposure.find_exposure` and :func:`networks.blackspot_rules.find_rule`.
    """
    columns = ColumnMap() if columns_path is None else read_column_map(columns_path)
    found = None if rule is None else find_rule(rule)
    crashes, notices = read_crashes(crash_paths, network, columns)
    sites = find_sites(network)
    volumes, volume_notices = (None, ()) if exposure is None else find_exposure(exposure, network, sites)
    matches = match_crashes(network, sites, crashes)
    shifts = find_shifts(sites, crashes, matches)
    if any(shift.is_moved for shift in shifts):
        crashes = move_back(crashes, shifts)
        matches = match_crashes(network, sites, crashes)
    displaced = find_displaced(sites, crashes, matches)
    if displaced:
        crashes = put_back(crashes, displaced)
        matches = match_crashes(network, sites, crashes)
    return CrashScene(
        network,
        sites,
        site_traits(network, sites),
        crashes,
        matches,
        columns.weights,
        volumes,
        found,
        (*notices, *shift_notices(crashes, shifts), *displaced_notices(crashes, displaced), *volume_notices),
    )


def scene_of(scene: CrashScene, wanted: MaskArray) -> CrashScene:
    """The same scene with some of its records."""
    return replace(scene, crashes=scene.crashes.only(wanted), matches=scene.matches.only(wanted))


def evidence_of(scene: CrashScene, *, injury_only: bool, years: float | None = None) -> Evidence:
    """Counts, predictions and what both say of every site; ``years`` is the period, where it is not told by records."""
    hits = (
        None if scene.rule is None else (scene.rule, apply_rule(scene.rule, scene.sites, scene.crashes, scene.matches))
    )
    return weigh_evidence(
        scene.traits,
        count_at_sites(len(scene.sites), scene.crashes, scene.matches, scene.weights),
        observed_years(scene.crashes) if years is None else years,
        weights=scene.weights,
        exposure=scene.exposure,
        injury_only=injury_only,
        rule=hits,
    )


def screen_hotspots(
    network: RoadNetwork,
    crash_paths: Sequence[str | Path],
    columns_path: str | Path | None = None,
    options: ScreeningOptions | None = None,
) -> Screening:
    """Match crash records to the sites of a network and rank the sites.

    Parameters
    ----------
    crash_paths, columns_path
        Files of records, and the column map (TOML) for what is not recognised in them.

    Raises
    ------
    InputError
        As :func:`read_scene` and :func:`networks.screening.scores`; NO_HOTSPOTS where no record was near a site, or no
        site meets the rule.
    """
    chosen = options or ScreeningOptions()
    scene = read_scene(network, crash_paths, columns_path, exposure=chosen.exposure, rule=chosen.rule)
    if chosen.years is not None:
        scene = scene_of(scene, last_years(scene.crashes, chosen.years))
    if not (scene.matches.site != NONE).any():
        raise _no_hotspots(scene, chosen)
    evidence = evidence_of(scene, injury_only=chosen.injury_only)
    hotspots = rank_sites(
        network,
        scene.sites,
        evidence,
        scene.matches,
        method=chosen.method,
        top=chosen.top,
        signalised_only=chosen.signalised_only,
    )
    if not hotspots:
        raise _no_hotspots(scene, chosen)
    return Screening(network, scene.sites, scene.crashes, scene.matches, hotspots, scene.notices, evidence, chosen)


def _no_hotspots(scene: CrashScene, options: ScreeningOptions) -> InputError:
    matched = int((scene.matches.site != NONE).sum())
    if matched and scene.rule is not None and options.method == RULE:
        what, remedy = f"no junction meets the rule {scene.rule.name}", "Use another method, or more years of records"
    else:
        what = f"none of {len(scene.crashes)} records lies near a junction" + " with a signal" * options.signalised_only
        remedy = "Check that the network covers the place of the records and has its junctions"
    return InputError("NO_HOTSPOTS", what, file=scene.crashes.files[0], remedy=remedy)


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
    draw_hotspots(
        folder / FIGURES / MAP_FILE,
        screening.network,
        screening.crashes,
        screening.hotspots,
        screening.options.method,
    )


def hotspots_json(screening: Screening) -> dict[str, object]:
    """The ranking and what it rests on, ready for JSON."""
    origin, methods = screening.origin, screening.matches.method
    return {
        "method": screening.options.method,
        "caveat": before_and_after(screening.options.method),
        "years": screening.evidence.years,
        "is_synthetic": origin.is_synthetic,
        "files": list(screening.crashes.files),
        "records": len(screening.crashes),
        "matched": origin.records,
        "matched_by": {method: methods.count(method) for method in sorted(set(methods))},
        "labels": _agreement_json(screening.agreement),
        "sites": len(screening.sites),
        "hotspots": [_plain(asdict(spot)) for spot in screening.hotspots],
        "notices": [asdict(notice) for notice in screening.notices],
    }


def _agreement_json(found: LabelAgreement | None) -> dict[str, object] | None:
    if found is None:
        return None
    names = ("agreeing_share", "labelled_share_of_matched", "matched_share_of_labelled")
    return _plain(asdict(found) | {name: getattr(found, name) for name in names})


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
            labelled=_LABELS[int(crashes.at_junction[number])],
            site="" if site == NONE else screening.sites[site].site_id,
            distance_m=round(float(matches.distance_m[number]), 1),
            method=matches.method[number],
        )
