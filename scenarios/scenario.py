"""A scenario file (TOML) as frozen values: every key known, every value checked, every fault named at once."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gtfs.on_time import parse_on_time
from gtfs.service_day import parse_day
from networks.blackspot_rules import RULES
from networks.faults import InputError
from networks.intake import require_file
from networks.screening import METHODS as HOTSPOT_METHODS
from networks.screening import NEEDS_EXPOSURE, RULE
from scenarios.charging_source import ChargingSource, charging_source, check_charging
from scenarios.fare_sources import FareSource, StopSource, check_timetabled, fare_source, stop_source, variant_fares
from scenarios.scenario_check import Check
from signals.controller import controller_kind, controller_parameters
from signals.intergreen import Clearance
from signals.outside_controller import is_outside, outside_controller
from signals.priority import LATE_BUSES, Priority
from signals.priority_options import priority_from
from signals.sensing import ALL_CONNECTED, NO_SENSING, Sensing, sensing_from
from sim.conflict_run import MEASURES
from sim.drivers import Drivers, RedRunning
from sim.dwell import DEFAULT_S
from sim.modes import modes_named

DEFAULT_TOP = 10
SECTIONS = (
    *("scenario", "network", "demand", "crashes", "transit", "hotspots", "signals"),
    *("conflicts", "drivers", "fares", "stops", "charging", "variant"),
)


@dataclass(frozen=True, slots=True)
class NetworkSource:
    """Where the streets come from: a SUMO network, or OpenStreetMap data to build one from."""

    path: Path
    is_osm: bool


@dataclass(frozen=True, slots=True)
class Synthetic:
    """Made-up demand of a size, repeatable by its seed."""

    vehicles_per_hour: float
    seed: int


@dataclass(frozen=True, slots=True)
class DemandSource:
    """Where the traffic comes from: exactly one of the three is given."""

    routes: tuple[Path, ...] = ()
    counts: Path | None = None
    synthetic: Synthetic | None = None


@dataclass(frozen=True, slots=True)
class CrashSource:
    """Crash records and, where their columns are not found by themselves, the map of columns."""

    files: tuple[Path, ...]
    columns: Path | None


@dataclass(frozen=True, slots=True)
class TransitSource:
    """Timetabled vehicles: a GTFS feed, the day of it that is driven, and how its vehicles are judged.

    Attributes
    ----------
    service_date
        As ``YYYY-MM-DD``.
    modes
        Names of modes wanted, empty for all that run on streets and tracks.
    on_time
        A rule as :func:`gtfs.on_time.parse_on_time` reads it.
    dwell_s
        Time at a stop.
    is_synthetic
        Whether the timetable was made up.
    """

    feed: Path
    service_date: str
    modes: tuple[str, ...] = ()
    on_time: str = "default"
    dwell_s: float = DEFAULT_S
    is_synthetic: bool = False


@dataclass(frozen=True, slots=True)
class ConflictSource:
    """Where conflicts are looked for: ``"hotspots"``, ``"all"`` or ids; by what; whether a ``.trj`` is kept."""

    sites: str | tuple[str, ...]
    measures: tuple[str, ...] = MEASURES
    keeps_trajectories: bool = False


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the things compared: a name, a controller, its parameters, what it sees, who has priority."""

    name: str
    controller: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    sensing: Sensing = ALL_CONNECTED
    priority: Priority | None = None
    fares: FareSource | None = None
    stops: StopSource | None = None
    charging: ChargingSource | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """A question to the simulation. Times in seconds of the day.

    ``junctions`` is ``"all"``, ``"hotspots"`` or ids of signals or junctions.
    """

    path: Path
    name: str
    begin_s: float
    end_s: float
    seeds: tuple[int, ...]
    step_s: float
    teleport_s: float
    network: NetworkSource
    demand: DemandSource
    crashes: CrashSource | None
    hotspot_method: str
    top: int
    junctions: str | tuple[str, ...]
    clearance: Clearance
    variants: tuple[Variant, ...]
    transit: TransitSource | None = None
    hotspot_rule: str | Path | None = None
    hotspot_exposure: Path | None = None
    conflicts: ConflictSource | None = None
    drivers: Drivers | None = None

    def input_files(self) -> tuple[Path, ...]:
        """Every file that the scenario reads, itself left out."""
        demand = (*self.demand.routes, *([self.demand.counts] if self.demand.counts else []))
        crashes = (
            (*self.crashes.files, *([self.crashes.columns] if self.crashes.columns else [])) if self.crashes else ()
        )
        feed = (self.transit.feed,) if self.transit else ()
        boarding = (variant.fares.boardings for variant in self.variants if variant.fares)
        stops = (variant.stops.amenities for variant in self.variants if variant.stops)
        electric = (path for variant in self.variants if variant.charging for path in variant.charging.files)
        at_stops = dict.fromkeys(path for path in (*boarding, *stops, *electric) if path)
        named = dict.fromkeys(variant.controller for variant in self.variants if is_outside(variant.controller))
        classes = dict.fromkeys(outside_controller(name, self.path.parent).file for name in named)
        named_here = (self.hotspot_rule, self.hotspot_exposure)
        screening = tuple(path for path in named_here if isinstance(path, Path) and path.is_file())
        return (self.network.path, *demand, *crashes, *screening, *feed, *at_stops, *classes)


def variant_sensing(scenario: Scenario, variant: Variant) -> str:
    """What the controllers of a variant see, in words."""
    is_fixed = controller_kind(variant.controller, scenario.path.parent).make is None
    return NO_SENSING if is_fixed else variant.sensing.words


def read_scenario(path: str | Path) -> Scenario:
    """Read and check a scenario file. Paths in it are relative to it.

    Raises
    ------
    InputError
        FILE_MISSING; CONFIG_TOML where it is no TOML (with the line); ScenarioError with CONFIG_KEY, CONFIG_VALUE or
        FILE_MISSING for everything else, all faults at once.
    """
    found = require_file(path)
    try:
        document = tomllib.loads(found.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        line = re.search(r"line (\d+)", str(fault))
        row = int(line.group(1)) if line else None
        raise InputError("CONFIG_TOML", f"not valid TOML ({fault})", file=found, row=row) from fault
    return scenario_from(document, found)


def scenario_from(document: Mapping[str, Any], path: Path) -> Scenario:
    """Check a scenario already in memory; ``path`` is where relative paths start and what messages name."""
    check = Check(path)
    top = check.table(document, "", SECTIONS)
    times = check.table(top.get("scenario", {}), "scenario", ("name", "begin", "end", "seeds", "step_s", "teleport_s"))
    begin_s, end_s = check.clock(times, "begin", "07:00:00"), check.clock(times, "end", "08:00:00")
    if end_s <= begin_s:
        check.fault("scenario.end", f"the end must lie after the begin ({times.get('end')!r})")
    hotspots = check.table(top.get("hotspots", {}), "hotspots", ("method", "top", "rule", "exposure"))
    signals = check.table(top.get("signals", {}), "signals", ("junctions", "clearance", "sensing"))
    sensing = _sensing(check, signals, "signals.sensing", ALL_CONNECTED)
    crashes = _crashes(check, top)
    junctions = _junctions(check, signals.get("junctions", "all"))
    if junctions == "hotspots" and crashes is None:
        check.fault("signals.junctions", 'junctions = "hotspots" needs crash records', "Add a [crashes] section")
    scenario = Scenario(
        path=path,
        name=check.text(times, "scenario.name", path.stem),
        begin_s=begin_s,
        end_s=end_s,
        seeds=check.seeds(times.get("seeds", [1, 2, 3]), "scenario.seeds"),
        step_s=check.step(times),
        teleport_s=check.number(times, "scenario.teleport_s", -1.0, least=-1.0),
        network=_network(check, top),
        demand=_demand(check, top),
        crashes=crashes,
        hotspot_method=check.choice(hotspots, "hotspots.method", HOTSPOT_METHODS),
        top=int(check.number(hotspots, "hotspots.top", DEFAULT_TOP, least=1)),
        junctions=junctions,
        clearance=Clearance(check.choice(signals, "signals.clearance", tuple(Clearance))),
        variants=_variants(check, top, path.parent, sensing),
        transit=_transit(check, top),
        hotspot_rule=_rule(check, hotspots),
        hotspot_exposure=check.file(hotspots["exposure"], "hotspots.exposure") if "exposure" in hotspots else None,
        conflicts=_conflicts(check, top, crashes),
        drivers=_drivers(check, top),
    )
    if scenario.hotspot_method in NEEDS_EXPOSURE and scenario.hotspot_exposure is None:
        check.fault(
            "hotspots.exposure", f"method {scenario.hotspot_method} needs the traffic of sites", "Name a CSV file"
        )
    _check_priority(check, scenario)
    check_timetabled(check, top, has_timetable=scenario.transit is not None)
    check_charging(check, top, has_timetable=scenario.transit is not None)
    check.finish()
    return scenario


def _network(check: Check, top: Mapping[str, Any]) -> NetworkSource:
    table = check.table(top.get("network", {}), "network", ("file", "osm"))
    key = check.one_of(table, "network", ("file", "osm"))
    return NetworkSource(check.file(table[key], f"network.{key}") if key else Path(), key == "osm")


def _demand(check: Check, top: Mapping[str, Any]) -> DemandSource:
    known = ("routes", "counts", "synthetic")
    table = check.table(top.get("demand", {}), "demand", known)
    key = check.one_of(table, "demand", known)
    if key == "routes":
        return DemandSource(routes=check.files(table[key], "demand.routes"))
    if key == "counts":
        return DemandSource(counts=check.file(table[key], "demand.counts"))
    made = check.table(table.get("synthetic", {}), "demand.synthetic", ("vehicles_per_hour", "seed"))
    volume = check.number(made, "demand.synthetic.vehicles_per_hour", 1000.0, least=1.0)
    return DemandSource(synthetic=Synthetic(volume, int(check.number(made, "demand.synthetic.seed", 1, least=0))))


def _crashes(check: Check, top: Mapping[str, Any]) -> CrashSource | None:
    if "crashes" not in top:
        return None
    table = check.table(top["crashes"], "crashes", ("files", "columns"))
    columns = check.file(table["columns"], "crashes.columns") if "columns" in table else None
    return CrashSource(check.files(table.get("files"), "crashes.files"), columns)


def _rule(check: Check, hotspots: Mapping[str, Any]) -> str | Path | None:
    """A national rule by name, or a file of one; needed by the method that goes by it."""
    if "rule" not in hotspots:
        if hotspots.get("method") == RULE:
            check.fault(
                "hotspots.rule", 'method = "rule" needs a rule', f"Use {' or '.join(map(repr, RULES))}, or a file"
            )
        return None
    name = check.text(hotspots, "hotspots.rule", RULES[0])
    return name if name in RULES else check.file(name, "hotspots.rule")


def _transit(check: Check, top: Mapping[str, Any]) -> TransitSource | None:
    if "transit" not in top:
        return None
    table = check.table(top["transit"], "transit", ("gtfs", "date", "modes", "on_time", "dwell_s", "synthetic"))
    source = TransitSource(
        feed=check.file(table.get("gtfs"), "transit.gtfs"),
        service_date=check.text(table, "transit.date", ""),
        modes=check.texts(table.get("modes", []), "transit.modes"),
        on_time=check.text(table, "transit.on_time", "default"),
        dwell_s=check.number(table, "transit.dwell_s", DEFAULT_S, least=0.0),
        is_synthetic=check.truth(table.get("synthetic", False), "transit.synthetic"),
    )
    if source.service_date:
        check.parsed(lambda: parse_day(source.service_date), "transit.date")
    check.parsed(lambda: modes_named(source.modes), "transit.modes")
    check.parsed(lambda: parse_on_time(source.on_time), "transit.on_time")
    return source


def _conflicts(check: Check, top: Mapping[str, Any], crashes: CrashSource | None) -> ConflictSource | None:
    if "conflicts" not in top:
        return None
    table = check.table(top["conflicts"], "conflicts", ("sites", "measures", "trj"))
    sites = _junctions(check, table.get("sites", "all"), "conflicts.sites")
    if sites == "hotspots" and crashes is None:
        check.fault("conflicts.sites", 'sites = "hotspots" needs crash records', "Add a [crashes] section")
    measures = check.texts(table.get("measures", list(MEASURES)), "conflicts.measures")
    if not measures or set(measures) - set(MEASURES):
        check.fault("conflicts.measures", f"must be some of {', '.join(MEASURES)}, not {list(measures)!r}")
    return ConflictSource(sites, measures, check.truth(table.get("trj", False), "conflicts.trj"))


def _drivers(check: Check, top: Mapping[str, Any]) -> Drivers | None:
    if "drivers" not in top:
        return None
    table = check.table(top["drivers"], "drivers", ("sigma", "red_running"))
    sigma = check.number(table, "drivers.sigma", 0.5, least=0.0, most=1.0) if "sigma" in table else None
    if "red_running" not in table:
        return Drivers(sigma)
    known = ("share", "after_red_s", "after_yellow_s")
    row, usual = check.table(table["red_running"], "drivers.red_running", known), RedRunning()
    share = check.number(row, "drivers.red_running.share", usual.share, least=0.0, most=1.0)
    after_s = [check.number(row, f"drivers.red_running.{name}", getattr(usual, name), least=0.0) for name in known[1:]]
    return Drivers(sigma, RedRunning(share, *after_s))


def _junctions(check: Check, value: Any, where: str = "signals.junctions") -> str | tuple[str, ...]:
    if value in {"all", "hotspots"} if isinstance(value, str) else False:
        return str(value)
    if isinstance(value, list) and value and all(isinstance(name, str) for name in value):
        return tuple(dict.fromkeys(value))
    check.fault(where, f'must be "all", "hotspots" or a list of ids, not {value!r}')
    return "all"


def _sensing(check: Check, table: Mapping[str, Any], where: str, default: Sensing) -> Sensing:
    if "sensing" not in table:
        return default
    try:
        return sensing_from(table["sensing"])
    except InputError as fault:
        check.fault(f"{where}.{fault.field}".rstrip("."), fault.what, fault.remedy, fault.code)
        return default


def _variants(check: Check, top: Mapping[str, Any], folder: Path, sensing: Sensing) -> tuple[Variant, ...]:
    rows = top.get("variant", [])
    fares, stops = fare_source(check, top), stop_source(check, top, "stops", None)
    usual = Variant("", "", {}, sensing, None, fares, stops, charging_source(check, top, "charging", None))
    if not isinstance(rows, list) or not rows:
        check.fault("variant", "at least one [[variant]] is needed; the first is what the others are compared with")
        return ()
    variants = tuple(
        _variant(check, row, f"variant[{number}]", folder, usual) for number, row in enumerate(rows, start=1)
    )
    names = [variant.name for variant in variants]
    for name in sorted({name for name in names if names.count(name) > 1}):
        check.fault("variant.name", f"{name!r} stands twice")
    return variants


def _variant(check: Check, row: Any, where: str, folder: Path, usual: Variant) -> Variant:
    """A variant from its table; what it does not tell is as ``usual``."""
    known = ("name", "controller", "parameters", "sensing", "priority", "fares", "stops", "charging")
    table = check.table(row, where, known)
    controller = check.text(table, f"{where}.controller", "static")
    parameters = check.table(table.get("parameters", {}), f"{where}.parameters", tuple(table.get("parameters", {})))
    try:
        controller_parameters(controller, parameters, folder)
    except InputError as fault:
        check.fault(f"{where}.{fault.field}", fault.what, fault.remedy, fault.code)
    name = check.text(table, f"{where}.name", controller.rpartition(":")[2])
    return Variant(
        name=name,
        controller=controller,
        parameters=dict(parameters),
        sensing=_sensing(check, table, f"{where}.sensing", usual.sensing),
        priority=_priority(check, table, where, controller),
        fares=variant_fares(check, table, where, usual.fares),
        stops=stop_source(check, table, f"{where}.stops", usual.stops),
        charging=charging_source(check, table, f"{where}.charging", usual.charging),
    )


def _priority(check: Check, table: Mapping[str, Any], where: str, controller: str) -> Priority | None:
    if "priority" not in table:
        return None
    try:
        return priority_from(table["priority"], controller)
    except InputError as fault:
        check.fault(f"{where}.priority.{fault.field}".rstrip("."), fault.what, fault.remedy, fault.code)
        return None


def _check_priority(check: Check, scenario: Scenario) -> None:
    """Late buses need a timetable that they are late by."""
    for number, variant in enumerate(scenario.variants, start=1):
        if scenario.transit is None and variant.priority is not None and LATE_BUSES in variant.priority.vehicles:
            what = "nobody is late without a timetable"
            remedy = 'Add a [transit] section, or vehicles = "all-buses"'
            check.fault(f"variant[{number}].priority.vehicles", what, remedy)
