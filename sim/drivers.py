"""Drivers who are not perfect, as vehicle types of given route files.

SUMO lets nobody override a type that a route file brings along, so the run gets a copy of each route file, which
differs in its types alone. A share of drivers makes of each type a distribution with the same id: every vehicle draws
from it who drives it, by the run's seed, and so alike in all variants.
"""

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

from networks.intake import Attributes, parse_xml
from networks.outfile import atomic_path

STEADY, HASTY = "steady", "hasty"
OWN_TYPE = "driver"
"""Type of vehicles that name none."""

_VEHICLES = frozenset({"vehicle", "trip", "flow"})
_WALKERS = frozenset({"pedestrian", "wheelchair"})


@dataclass(frozen=True, slots=True)
class RedRunning:
    """Who drives over red: a share of drivers, for so long (s) after red and after yellow has begun.

    SUMO's ``jmDriveAfterRedTime`` and ``jmDriveAfterYellowTime``.
    """

    share: float = 1.0
    after_red_s: float = 2.0
    after_yellow_s: float = 3.0

    @property
    def attributes(self) -> dict[str, str]:
        """As attributes of a type."""
        return {
            "jmDriveAfterRedTime": f"{self.after_red_s:g}",
            "jmDriveAfterYellowTime": f"{self.after_yellow_s:g}",
        }


@dataclass(frozen=True, slots=True)
class Drivers:
    """How drivers differ from those of the route files: ``sigma`` is SUMO's imperfection, 0 to 1; None leaves it."""

    sigma: float | None = None
    red_running: RedRunning | None = None


def write_driver_routes(source: Path, target: Path, drivers: Drivers) -> None:
    """Copy a route file, plain or ``.gz``, with other drivers. Comments are left out."""
    copy = _Copy(drivers)
    parse_xml(source, copy.start, code="ROUTE_XML", on_end=copy.end)
    text = '<?xml version="1.0" encoding="UTF-8"?>\n' + "".join(copy.words)
    with atomic_path(target) as part:
        data = text.encode()
        part.write_bytes(gzip.compress(data, mtime=0) if target.suffix == ".gz" else data)


class _Copy:
    """Writes down what it is told of; a type is kept back until it is whole, and then written for each driver."""

    def __init__(self, drivers: Drivers) -> None:
        self.words: list[str] = []
        self._drivers = drivers
        self._depth = 0
        self._in_distribution = False
        self._type: Attributes | None = None
        self._inside: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        row = dict(attributes)
        if tag == "vType":
            self._type, self._inside = row, []
        elif self._type is not None:
            self._inside.append(_open(tag, row))
        else:
            if tag == "vTypeDistribution":
                self._in_distribution = True
            if tag in _VEHICLES:
                row.setdefault("type", OWN_TYPE)
            self.words.append(_open(tag, row))
            if self._depth == 0:
                self.words += self._types({"id": OWN_TYPE}, "")
        self._depth += 1

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "vType" and self._type is not None:
            self.words += self._types(self._type, "".join(self._inside))
            self._type = None
        elif self._type is not None:
            self._inside.append(f"</{tag}>")
        else:
            self._in_distribution &= tag != "vTypeDistribution"
            self.words.append(f"</{tag}>\n")

    def _types(self, row: Mapping[str, str], inside: str) -> Iterator[str]:
        """A type, or both kinds of drivers of it in a distribution of its name."""
        if row.get("vClass") in _WALKERS:
            yield _whole("vType", row, inside)
            return
        base = dict(row)
        if self._drivers.sigma is not None:
            base["sigma"] = f"{self._drivers.sigma:g}"
        running = self._drivers.red_running
        if running is None or running.share == 0:
            yield _whole("vType", base, inside)
        elif running.share == 1:
            yield _whole("vType", base | running.attributes, inside)
        else:
            both = self._both(base, inside, running)
            yield both if self._in_distribution else _whole("vTypeDistribution", {"id": base["id"]}, both)

    @staticmethod
    def _both(base: Mapping[str, str], inside: str, running: RedRunning) -> str:
        weight = float(base.get("probability", 1.0))
        steady = {"id": f"{base['id']}.{STEADY}", "probability": f"{weight * (1 - running.share):g}"}
        hasty = {"id": f"{base['id']}.{HASTY}", "probability": f"{weight * running.share:g}"} | running.attributes
        return "".join(_whole("vType", dict(base) | other, inside) for other in (steady, hasty))


def _open(tag: str, row: Mapping[str, str]) -> str:
    return f"<{tag}" + "".join(f" {key}={quoteattr(value)}" for key, value in row.items()) + ">"


def _whole(tag: str, row: Mapping[str, str], inside: str) -> str:
    return f"{_open(tag, row)}{inside}</{tag}>\n"
