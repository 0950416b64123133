"""What a run is told of electric buses: which vehicles are, what a bus is, where it can be charged."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from networks.intake import Attributes, parse_xml
from networks.outfile import write_text
from sim.electric_bus import ElectricBus

KW = 1000.0
ELECTRIC_CLASSES = frozenset({"bus", "coach"})
"""Vehicle classes that may have a battery; trams and trains have a wire."""

SUFFIX = "_electric"


@dataclass(frozen=True, slots=True)
class ChargedStop:
    """A bus stop with a charger: every electric bus that stands there is charged with ``power_kw``."""

    bus_stop: str
    charger_id: str
    power_kw: float


@dataclass(frozen=True, slots=True)
class Charging:
    """Electric vehicles by their ids in the simulation, their kind, and where they are charged."""

    electric_share: float
    vehicles: tuple[str, ...]
    bus: ElectricBus
    stops: tuple[ChargedStop, ...]


def write_stations(path: Path, stops: Path, charging: Charging) -> None:
    """Write the charging stations as an additional file, each on the surface of its bus stop in the file ``stops``."""
    charged = {stop.bus_stop: stop for stop in charging.stops}
    lines = ["<additional>"]

    def keep(tag: str, row: Attributes) -> None:
        if tag == "busStop" and row["id"] in charged:
            lines.append(_station(charged[row["id"]], row, charging.bus))

    parse_xml(stops, keep, code="ROUTE_XML")
    write_text(path, "\n".join([*lines, "</additional>", ""]))


def _station(stop: ChargedStop, row: Attributes, bus: ElectricBus) -> str:
    surface = f'lane={quoteattr(row["lane"])} startPos="{row["startPos"]}" endPos="{row["endPos"]}"'
    return (
        f"    <chargingStation id={quoteattr('charger_' + stop.bus_stop)} {surface} "
        f'power="{stop.power_kw * KW:g}" efficiency="{bus.charging_efficiency:g}" chargeDelay="{bus.connect_s:g}"/>'
    )


def write_electric_vehicles(source: Path, target: Path, charging: Charging) -> None:
    """Copy a route file of timetabled vehicles so that some of them are electric.

    These get a type of their own, which differs by mass, battery and what the battery's use depends on: they drive as
    before.
    """
    copy = _Copy(charging)
    parse_xml(source, copy.start, code="ROUTE_XML", on_end=copy.end)
    write_text(target, "".join(copy.words))


class _Copy:
    """Writes down what it is told of, with types doubled and electric vehicles of the second kind."""

    def __init__(self, charging: Charging) -> None:
        self.words: list[str] = []
        self._charging = charging
        self._electric = frozenset(charging.vehicles)
        self._twin: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        row: dict[str, str] = dict(attributes)
        if tag == "vType" and row.get("vClass") in ELECTRIC_CLASSES:
            self._twin = [_open(tag, _electric_type(row, self._charging.bus)), *_parameters(self._charging.bus)]
        elif self._twin:
            self._twin.append(_open(tag, row))
        elif tag == "vehicle" and row["id"] in self._electric:
            row["type"] += SUFFIX
        self.words.append(_open(tag, row))

    def end(self, tag: str) -> None:
        self.words.append(f"</{tag}>\n")
        if self._twin:
            self._twin.append(f"</{tag}>\n")
        if tag == "vType":
            self.words.extend(self._twin)
            self._twin = []


def _electric_type(row: Mapping[str, str], bus: ElectricBus) -> dict[str, str]:
    return {**row, "id": row["id"] + SUFFIX, "mass": f"{bus.mass_kg:g}", "emissionClass": "Energy/unknown"}


def _parameters(bus: ElectricBus) -> list[str]:
    """The battery device's parameters by their names in SUMO; energies are Wh there."""
    values: dict[str, float | str] = {
        "has.battery.device": "true",
        "device.battery.capacity": bus.capacity_kwh * KW,
        "device.battery.chargeLevel": bus.initial_charge * bus.capacity_kwh * KW,
        "device.battery.maximumChargeRate": bus.charge_rate_kw * KW,
        "frontSurfaceArea": bus.front_surface_m2,
        "airDragCoefficient": bus.air_drag,
        "rotatingMass": bus.rotating_mass_kg,
        "radialDragCoefficient": bus.radial_drag,
        "rollDragCoefficient": bus.roll_drag,
        "constantPowerIntake": bus.constant_power_w,
        "propulsionEfficiency": bus.propulsion_efficiency,
        "recuperationEfficiency": bus.recuperation_efficiency,
    }
    return [
        f'<param key="{key}" value="{value if isinstance(value, str) else f"{value:.10g}"}"/>'
        for key, value in values.items()
    ]


def _open(tag: str, row: Mapping[str, str]) -> str:
    return f"<{tag}" + "".join(f" {key}={quoteattr(value)}" for key, value in row.items()) + ">"
