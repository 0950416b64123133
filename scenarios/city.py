"""What a city has, as its file (TOML) names it: frozen values, every key known, every fault named at once.

Everything is optional: what a city does not name is unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from gtfs.amenities import FEATURES
from gtfs.service_day import parse_day
from networks.blackspot_rules import RULES
from networks.faults import InputError
from networks.intake import require_file
from scenarios.edition import read_toml
from scenarios.indicators import Project
from scenarios.scenario_check import Check

SECTIONS = (
    *("city", "transit", "traces", "fleet", "fares", "network", "crashes"),
    *("hotspots", "lights", "stops", "charging", "effects"),
)
METHODS = ("rule", "empirical-bayes", "frequency")
"""What makes a section one of many accidents; the first counts where a city does not choose."""

COUNTS = ("sections", "lights")
EFFECTS = {
    "dispatching": Project.DISPATCHING,
    "fares": Project.FARE_PAYMENT,
    "lights": Project.TRAFFIC_MANAGEMENT,
    "stops": Project.SMART_STOPS,
    "charging": Project.EV_CHARGING,
}
"""Projects of which a study may tell what they do."""

SEVERITIES = ("injury", "all")
WITHIN_M = 500.0
"""So near a charger a place is within its reach, as the crow flies; an assumption."""

TOP = 10


@dataclass(frozen=True, slots=True)
class Transit:
    """A GTFS feed and the service day that is looked at; None: all days of the trace, or of the feed."""

    feed: Path
    day: date | None


@dataclass(frozen=True, slots=True)
class Traces:
    """Vehicle positions, and the map of their columns where they are tables of other words than TIDES'."""

    files: tuple[Path, ...]
    columns: Path | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """All vehicles of public transport: a list of their ids, or how many the city says there are."""

    file: Path | None
    vehicles: int | None


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments in a period: those made electronically, and all."""

    electronic: int
    all_payments: int


@dataclass(frozen=True, slots=True)
class Fares:
    """Tables of routes and of vehicles with electronic payment, and payments as a table by month or as two numbers."""

    routes: Path | None
    vehicles: Path | None
    payments: Path | Payments | None


@dataclass(frozen=True, slots=True)
class CrashRecords:
    """Accident records, and the map of their columns where they are not found by themselves."""

    files: tuple[Path, ...]
    columns: Path | None


@dataclass(frozen=True, slots=True)
class HighAccident:
    """What a section with a high level of accidents is.

    Attributes
    ----------
    method
        The way that counts, one of :data:`METHODS`; the others are told beside it.
    rule
        A national rule by name or file.
    top
        How many sections are high by frequency.
    exposure
        Traffic of sections: a CSV file or the folder of a run.
    years
        How many years before the latest record count; all where None.
    """

    method: str = METHODS[0]
    rule: str | Path = RULES[0]
    top: int = TOP
    exposure: Path | None = None
    years: int | None = None
    injury_only: bool = True


@dataclass(frozen=True, slots=True)
class Lights:
    """Lights that are smart: ids of all of them, or a table; None: only the network tells. And what is counted."""

    smart: tuple[str, ...] | Path | None = None
    count: str = COUNTS[0]


@dataclass(frozen=True, slots=True)
class StopTable:
    """Amenities of stops, and which of them a smart stop needs."""

    amenities: Path
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Charging:
    """Chargers, and places from which they should be within reach."""

    chargers: Path
    depots: Path | None
    population: Path | None
    within_m: float


@dataclass(frozen=True, slots=True)
class City:
    """What a city has; None is what it does not name. ``effects`` are results folders of studies of projects."""

    path: Path
    name: str
    is_synthetic: bool
    transit: Transit | None = None
    traces: Traces | None = None
    fleet: Fleet | None = None
    fares: Fares | None = None
    network: Path | None = None
    crashes: CrashRecords | None = None
    high: HighAccident = HighAccident()
    lights: Lights = Lights()
    stops: StopTable | None = None
    charging: Charging | None = None
    effects: Mapping[Project, Path] = field(default_factory=dict)


def read_city(path: str | Path) -> City:
    """Read and check a city's file. Paths in it are relative to it.

    Raises
    ------
    InputError
        FILE_MISSING; CONFIG_TOML where it is no TOML (with the line); ScenarioError with CONFIG_KEY, CONFIG_VALUE or
        FILE_MISSING for everything else, all faults at once.
    """
    found = require_file(path)
    return city_from(read_toml(found), found)


def city_from(document: Mapping[str, Any], path: Path) -> City:
    """Check a city already in memory; ``path`` is where relative paths start and what messages name."""
    check = Check(path)
    top = check.table(document, "", SECTIONS)
    about = check.table(top.get("city", {}), "city", ("name", "synthetic"))
    network = check.table(top.get("network", {}), "network", ("file",))
    city = City(
        path=path,
        name=check.text(about, "city.name", path.stem or "city"),
        is_synthetic=check.truth(about.get("synthetic", False), "city.synthetic"),
        transit=_transit(check, top),
        traces=_traces(check, top),
        fleet=_fleet(check, top),
        fares=_fares(check, top),
        network=_file(check, network, "network.file"),
        crashes=_crashes(check, top),
        high=_high(check, top),
        lights=_lights(check, top),
        stops=_stops(check, top),
        charging=_charging(check, top),
        effects=_effects(check, top),
    )
    check.finish()
    return city


def _file(check: Check, table: Mapping[str, Any], where: str) -> Path | None:
    key = where.rpartition(".")[2]
    return check.file(table[key], where) if key in table else None


def _transit(check: Check, top: Mapping[str, Any]) -> Transit | None:
    if "transit" not in top:
        return None
    table = check.table(top["transit"], "transit", ("gtfs", "date"))
    feed = check.file_or_folder(table.get("gtfs"), "transit.gtfs")
    return Transit(feed, _day(check, table["date"], "transit.date") if "date" in table else None)


def _day(check: Check, given: Any, where: str) -> date | None:
    """A day as TOML has it, or as a text."""
    if isinstance(given, date):
        return date(given.year, given.month, given.day)
    try:
        return parse_day(str(given))
    except InputError as fault:
        check.fault(where, fault.what, fault.remedy)
        return None


def _traces(check: Check, top: Mapping[str, Any]) -> Traces | None:
    if "traces" not in top:
        return None
    table = check.table(top["traces"], "traces", ("files", "columns"))
    names = table.get("files")
    if not isinstance(names, list) or not names:
        check.fault("traces.files", f"must be a list of files or folders, not {names!r}")
        names = []
    files = tuple(check.file_or_folder(name, "traces.files") for name in names)
    return Traces(files, _file(check, table, "traces.columns"))


def _fleet(check: Check, top: Mapping[str, Any]) -> Fleet | None:
    if "fleet" not in top:
        return None
    table = check.table(top["fleet"], "fleet", ("file", "vehicles"))
    key = check.one_of(table, "fleet", ("file", "vehicles"))
    if key == "file":
        return Fleet(check.file(table[key], "fleet.file"), None)
    return Fleet(None, _count(check, table.get("vehicles", 1), "fleet.vehicles", least=1))


def _count(check: Check, value: Any, where: str, least: int = 0) -> int:
    """A whole number."""
    if type(value) is int and least <= value <= 10**12:
        return value
    check.fault(where, f"must be a whole number, {least} or more, not {value!r}")
    return least


def _fares(check: Check, top: Mapping[str, Any]) -> Fares | None:
    if "fares" not in top:
        return None
    table = check.table(top["fares"], "fares", ("routes", "vehicles", "payments"))
    payments = table.get("payments")
    return Fares(
        routes=_file(check, table, "fares.routes"),
        vehicles=_file(check, table, "fares.vehicles"),
        payments=_payments(check, payments) if isinstance(payments, Mapping) else _file(check, table, "fares.payments"),
    )


def _payments(check: Check, given: Mapping[str, Any]) -> Payments:
    table = check.table(given, "fares.payments", ("electronic", "all"))
    electronic, everything = (_count(check, table.get(key), f"fares.payments.{key}") for key in ("electronic", "all"))
    if electronic > everything:
        check.fault("fares.payments", f"{electronic} electronic payments are more than all, {everything}")
    return Payments(electronic, everything)


def _crashes(check: Check, top: Mapping[str, Any]) -> CrashRecords | None:
    if "crashes" not in top:
        return None
    table = check.table(top["crashes"], "crashes", ("files", "columns"))
    return CrashRecords(check.files(table.get("files"), "crashes.files"), _file(check, table, "crashes.columns"))


def _high(check: Check, top: Mapping[str, Any]) -> HighAccident:
    known = ("method", "rule", "top", "exposure", "years", "severity")
    table = check.table(top.get("hotspots", {}), "hotspots", known)
    rule = check.text(table, "hotspots.rule", RULES[0])
    return HighAccident(
        method=check.choice(table, "hotspots.method", METHODS),
        rule=rule if rule in RULES else check.file(rule, "hotspots.rule"),
        top=_count(check, table.get("top", TOP), "hotspots.top", least=1),
        exposure=check.file_or_folder(table["exposure"], "hotspots.exposure") if "exposure" in table else None,
        years=_count(check, table["years"], "hotspots.years", least=1) if "years" in table else None,
        injury_only=check.choice(table, "hotspots.severity", SEVERITIES) == SEVERITIES[0],
    )


def _lights(check: Check, top: Mapping[str, Any]) -> Lights:
    table = check.table(top.get("lights", {}), "lights", ("smart", "count"))
    given = table.get("smart")
    smart: tuple[str, ...] | Path | None = None
    if isinstance(given, list):
        smart = tuple(dict.fromkeys(check.texts(given, "lights.smart")))
    elif given is not None:
        smart = check.file(given, "lights.smart")
    return Lights(smart, check.choice(table, "lights.count", COUNTS))


def _stops(check: Check, top: Mapping[str, Any]) -> StopTable | None:
    if "stops" not in top:
        return None
    table = check.table(top["stops"], "stops", ("amenities", "smart_needs"))
    needs = check.texts(table.get("smart_needs", list(FEATURES)), "stops.smart_needs")
    if not needs or set(needs) - set(FEATURES):
        check.fault("stops.smart_needs", f"must be some of {', '.join(FEATURES)}, not {list(needs)!r}")
    return StopTable(check.file(table.get("amenities"), "stops.amenities"), tuple(dict.fromkeys(needs)))


def _charging(check: Check, top: Mapping[str, Any]) -> Charging | None:
    if "charging" not in top:
        return None
    table = check.table(top["charging"], "charging", ("chargers", "depots", "population", "within_m"))
    return Charging(
        chargers=check.file(table.get("chargers"), "charging.chargers"),
        depots=_file(check, table, "charging.depots"),
        population=_file(check, table, "charging.population"),
        within_m=check.number(table, "charging.within_m", WITHIN_M, least=1.0, most=1e6),
    )


def _effects(check: Check, top: Mapping[str, Any]) -> dict[Project, Path]:
    table = check.table(top.get("effects", {}), "effects", tuple(EFFECTS))
    return {
        project: check.file_or_folder(table[key], f"effects.{key}") for key, project in EFFECTS.items() if key in table
    }
