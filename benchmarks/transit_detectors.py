"""What it costs to watch timetabled vehicles: the same simulation with its buses, with detectors and without.

SUMO left to itself writes their stops and positions for us to read; in process detectors look every ten seconds, with
controllers that ask for their lateness or without anybody else in the loop. CPU time of the whole run, network reading
included. What disturbs a run only ever adds to it, so the cheapest runs of either kind are compared; single pairs go
up and down by several per cent on a machine that does other work.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from benchmarks.processes import cost, python_call
from benchmarks.results import Measurement
from benchmarks.setup import Setup
from gtfs.feed import read_feed
from networks.build import build_network
from networks.network import RoadNetwork
from networks.netxml import read_network
from scenarios.demo.buses import write_demo_feed
from signals.controller import controller_kind, controller_parameters
from signals.intergreen import Clearance
from signals.plan import build_plan
from sim.demand import synthetic_demand
from sim.engine import Api, run_program, sumo_home
from sim.loop import drive
from sim.options import SumoOptions
from sim.outputs import RawOutputs, read_trips
from sim.regime import Regime, laws_of
from sim.transit import TransitOptions, import_transit
from sim.transit_output import write_transit
from sim.transit_plan import TransitFiles
from sim.transit_record import TransitRecord

SEED = 1
HOUR_S = 3600.0
CONTROLLER = "max-pressure"
PROGRAM, ALONE, STEERED = "program", "in process", f"in process, {CONTROLLER}"


@dataclass(frozen=True, slots=True)
class _City:
    """An hour of a city: the map that its network is built from, or SUMO's own; a feed, or made-up buses; made-up cars.

    ``ways`` of running are those to be compared.
    """

    name: str
    osm: str | None
    feed: str | None
    service_date: date
    begin_s: float
    vehicles_per_hour: float
    ways: tuple[str, ...]


CITIES = (
    _City("adlershof", None, None, date(2026, 5, 13), 25_200.0, 1000.0, (PROGRAM, STEERED)),
    _City(
        "portoalegre",
        "portoalegre/osm.pbf",
        "portoalegre/gtfs.zip",
        date(2019, 5, 15),
        54_000.0,
        2000.0,
        (PROGRAM, ALONE),
    ),
)


def transit_detectors(setup: Setup) -> Iterator[Measurement]:
    """CPU time with detectors over that without, for each city and way of running."""
    for city in CITIES:
        folder = _prepared(city, setup)
        if folder is not None:
            for way in city.ways:
                yield from _compare(city, folder, way, setup)


def watch_buses(network_path: str, folder: str, begin_s: str, way: str, watched: str) -> dict[str, float]:
    """One run in this process, with detectors (``watched`` is "yes") or without; samples and calls taken."""
    files, end_s = Path(folder), float(begin_s) + HOUR_S
    network = read_network(network_path)
    record = TransitRecord(files, network) if watched == "yes" else None
    with tempfile.TemporaryDirectory(prefix="bagdar-") as name:
        raw = RawOutputs(Path(name))
        options = _options(Path(network_path), files, raw, end_s)
        if record:
            options = replace(options, stop_visits=raw.stop_visits, positions=raw.positions)
        if way == PROGRAM:
            run_program(options, None, HOUR_S)
        else:
            options = replace(options, positions=None)
            regime, detectors = _regime(network, way), record.detectors if record else None
            drive(options, Api.LIBSUMO, network, regime, None, HOUR_S, detectors)
        read_trips(raw.trips)
        run = record.read(raw, end_s) if record else None
    return {"samples": float(len(run.sample_leg)), "calls": float(len(run.arrival_s))} if run else {}


def _options(network_path: Path, files: Path, raw: RawOutputs, end_s: float) -> SumoOptions:
    transit = TransitFiles(files)
    return SumoOptions(
        network=network_path,
        routes=(files / "cars.rou.xml.gz", transit.vehicles),
        begin_s=end_s - HOUR_S,
        end_s=end_s,
        seed=SEED,
        additional=(transit.stops,),
        tripinfo=raw.trips,
        unfinished_stops=True,
    )


def _regime(network: RoadNetwork, way: str) -> Regime:
    """Controllers at all signals where they are to be steered, else none."""
    signals = network.signals if way == STEERED else ()
    plans = [build_plan(network, signal.signal_id, Clearance.ITE) for signal in signals]
    return Regime(laws_of(controller_kind(CONTROLLER), plans, controller_parameters(CONTROLLER, {})), CONTROLLER)


def _prepared(city: _City, setup: Setup) -> Path | None:
    """A folder with network, cars and buses, made once; None where the city's data are not there."""
    osm, feed = (setup.real(name, "transit-detectors") if name else None for name in (city.osm, city.feed))
    if (city.osm and osm is None) or (city.feed and feed is None):
        return None
    folder = setup.cache / f"transit-{city.name}"
    if not (folder / "ready").exists():
        setup.tell(f"{city.name}: network, cars and buses")
        folder.mkdir(parents=True, exist_ok=True)
        network_path = _network_path(city, folder)
        if osm is not None:
            build_network(osm, network_path)
        network = read_network(network_path)
        _write_buses(city, feed or write_demo_feed(network, folder / "feed.zip"), network, folder)
        _write_cars(city, network, folder)
        (folder / "ready").touch()
    return folder


def _network_path(city: _City, folder: Path) -> Path:
    """The network built from the city's map, or the one that SUMO carries."""
    return folder / "net.net.xml.gz" if city.osm else sumo_home() / "tools" / "game" / "DRT" / "osm.net.xml"


def _write_buses(city: _City, feed: Path, network: RoadNetwork, folder: Path) -> None:
    options = TransitOptions(city.service_date, begin_s=city.begin_s, end_s=city.begin_s + HOUR_S)
    transit = import_transit(read_feed(feed), network, _network_path(city, folder), options)
    write_transit(transit, network, folder)


def _write_cars(city: _City, network: RoadNetwork, folder: Path) -> None:
    end_s = city.begin_s + HOUR_S
    synthetic_demand(network, city.vehicles_per_hour, city.begin_s, end_s, SEED, folder / "cars.rou.xml.gz")


def _compare(city: _City, folder: Path, way: str, setup: Setup) -> Iterator[Measurement]:
    """Alternating pairs of runs with detectors and without; whichever comes first changes."""
    used: dict[str, list[float]] = {"yes": [], "no": []}
    told: dict[str, float] = {}
    for turn in range(setup.repeats):
        setup.tell(f"{city.name}, {way}: pair {turn + 1} of {setup.repeats}")
        for watched in ("yes", "no") if turn % 2 else ("no", "yes"):
            said = cost(_command(city, folder, way, watched)).said
            used[watched].append(said["call_cpu_s"])
            told |= said
    place = f"{city.name}/{way}"
    pairs = [ours / theirs - 1 for ours, theirs in zip(used["yes"], used["no"], strict=True)]
    yield Measurement(f"{place}/cpu added by detectors", min(used["yes"]) / min(used["no"]) - 1, "1")
    yield Measurement(f"{place}/cpu added by detectors/least of a pair", min(pairs), "1")
    yield Measurement(f"{place}/cpu added by detectors/most of a pair", max(pairs), "1")
    yield Measurement(f"{place}/cpu without", min(used["no"]), "s")
    yield Measurement(f"{place}/samples", told["samples"], "1")
    yield Measurement(f"{place}/calls", told["calls"], "1")


def _command(city: _City, folder: Path, way: str, watched: str) -> list[str]:
    network_path = _network_path(city, folder)
    return python_call("benchmarks.transit_detectors:watch_buses", network_path, folder, city.begin_s, way, watched)
