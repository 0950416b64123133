"""Which column of a file of vehicle positions means what: told in a TOML file, in the words of TIDES.

TIDES is the open standard for transit operations data; a file that follows it needs no map.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gtfs.clock import local_text
from networks.faults import InputError
from networks.intake import open_bytes

TEXTS = ("vehicle_id", "trip_id_performed", "route_id", "block_id", "service_date", "trip_start_time")
NUMBERS = ("latitude", "longitude", "heading", "speed", "odometer", "service_seconds")
TIMES = ("event_timestamp", "feed_timestamp")
WORDS = (*TIMES, *TEXTS, *NUMBERS)
"""What a column can mean. All are words of TIDES but ``service_seconds`` (time of the service day, with
``service_date`` in place of ``event_timestamp``) and ``feed_timestamp`` (when the position was published)."""

NEEDED = ("vehicle_id", "latitude", "longitude")

SPEED_MPS = MappingProxyType({"m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704})
LENGTH_M = MappingProxyType({"m": 1.0, "km": 1000.0, "mi": 1609.344, "ft": 0.3048})
UNITS: Mapping[str, Mapping[str, float]] = MappingProxyType({"speed": SPEED_MPS, "odometer": LENGTH_M})

EPOCH, ISO = "epoch", "iso"
TIME_KEYS = ("event_timestamp", "service_date", "timezone")

EXAMPLE = """[columns]
vehicle_id = "BUS"
event_timestamp = "TIME"
latitude = "LAT"
longitude = "LON\""""
"""A map as short as can be, shown where one is missing."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What the columns of a file of positions mean.

    Attributes
    ----------
    columns
        The file's column for each word of :data:`WORDS` that it has.
    speed_mps, odometer_m
        One unit of the file's speeds and odometers.
    time_format
        How times are written: :data:`EPOCH` (seconds), :data:`ISO` or a format of Python's strptime; None: numbers are
        epoch seconds and all else is ISO 8601.
    date_format
        Format of ``service_date``; None: ``20261231`` or ``2026-12-31``.
    timezone
        The zone of times that are written without one.
    """

    columns: Mapping[str, str]
    speed_mps: float = 1.0
    odometer_m: float = 1.0
    time_format: str | None = None
    date_format: str | None = None
    timezone: str | None = None


TIDES = ColumnMap(MappingProxyType({word: word for word in WORDS if word != "service_seconds"}), time_format=ISO)
"""Columns of TIDES ``vehicle_locations``, and what else goes by its words; all but the needed ones may be missing."""


def read_column_map(path: str | Path) -> ColumnMap:
    """Read a column map from TOML.

    Raises
    ------
    InputError
        FILE_MISSING; CONFIG_VALUE where it is no TOML or a value cannot be used; CONFIG_KEY for a key that is not
        known, with the nearest one that is.
    """
    with open_bytes(path) as stream:
        return parse_column_map(stream.read(), path)


def parse_column_map(content: bytes, path: str | Path) -> ColumnMap:
    """A column map from the content of a TOML file; ``path`` names it in messages, as in :func:`read_column_map`."""
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except ValueError as fault:
        raise InputError("CONFIG_VALUE", f"not readable as TOML ({fault})", file=path, remedy="Correct it") from fault
    _check_keys(table, ("columns", "units", "time"), path)
    columns = _section(table, "columns", WORDS, path)
    units = _section(table, "units", tuple(UNITS), path)
    time = _section(table, "time", TIME_KEYS, path)
    _check_needed(columns, time, path)
    return ColumnMap(
        columns=MappingProxyType(columns),
        speed_mps=_unit(units, "speed", path),
        odometer_m=_unit(units, "odometer", path),
        time_format=_format(time, "event_timestamp", (EPOCH, ISO), path),
        date_format=_format(time, "service_date", (), path),
        timezone=_timezone(time.get("timezone"), path),
    )


def _check_keys(table: Mapping[str, Any], known: Collection[str], path: str | Path, inside: str = "") -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0)
            remedy = f"Did you mean {near[0]!r}? Known are {', '.join(known)}"
            raise InputError("CONFIG_KEY", f"unknown key {key!r}", file=path, field=inside + key, remedy=remedy)


def _section(table: Mapping[str, Any], name: str, known: Collection[str], path: str | Path) -> dict[str, str]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise _wrong(section, "a table", name, path)
    _check_keys(section, known, path, f"{name}.")
    for key, value in section.items():
        if not isinstance(value, str) or not value:
            raise _wrong(value, "a text in quotes", f"{name}.{key}", path)
    return section


def _check_needed(columns: Mapping[str, str], time: Mapping[str, str], path: str | Path) -> None:
    missing = [word for word in NEEDED if word not in columns]
    by_service_day = "service_seconds" in columns and "service_date" in columns
    if "event_timestamp" not in columns and not by_service_day:
        missing.append("event_timestamp")
    if missing:
        remedy = "Name its column under [columns]; a time may be `service_date` and `service_seconds` instead"
        what = f"no column for {' and '.join(missing)}"
        raise InputError("CONFIG_VALUE", what, file=path, field=f"columns.{missing[0]}", remedy=remedy)
    if "event_timestamp" in columns and "service_seconds" in columns:
        what, remedy = "two columns for the time", "Leave event_timestamp or service_seconds"
        raise InputError("CONFIG_VALUE", what, file=path, field="columns.service_seconds", remedy=remedy)
    if "service_seconds" in columns and "timezone" not in time:
        what = "seconds of the service day without a time zone"
        raise InputError("CONFIG_VALUE", what, file=path, field="time.timezone", remedy="Give `timezone` under [time]")


def _unit(units: Mapping[str, str], word: str, path: str | Path) -> float:
    known = UNITS[word]
    name = units.get(word, next(iter(known)))
    if name not in known:
        raise _wrong(name, f"one of {', '.join(known)}", f"units.{word}", path)
    return known[name]


def _format(time: Mapping[str, str], key: str, words: tuple[str, ...], path: str | Path) -> str | None:
    value = time.get(key)
    if value is not None and value not in words and "%" not in value:
        known = "".join(f"{word!r} or " for word in words)
        raise _wrong(value, f"{known}a format such as '%d.%m.%Y %H:%M:%S'", f"time.{key}", path)
    return value


def _timezone(name: str | None, path: str | Path) -> str | None:
    if name is not None:
        try:
            local_text(0.0, name)
        except InputError as fault:
            raise InputError(
                "CONFIG_VALUE", fault.what, file=path, field="time.timezone", remedy=fault.remedy
            ) from fault
    return name


def _wrong(value: Any, wanted: str, key: str, path: str | Path) -> InputError:
    return InputError("CONFIG_VALUE", f"{value!r} is not {wanted}", file=path, field=key, remedy=f"Give {wanted}")


def resolve_columns(given: ColumnMap | None, names: Sequence[str], path: str | Path) -> ColumnMap:
    """The map of one file: the given one, all of whose columns must be there, or that of TIDES.

    Raises
    ------
    InputError
        AVL_COLUMN where a column of the map is not in the file, or stands there twice, or where there is no map and the
        file is no TIDES.
    """
    columns = _as_tides(names, path) if given is None else given
    for word, name in columns.columns.items():
        if name not in names:
            near = get_close_matches(name, names, n=1, cutoff=0)
            remedy = f"Did you mean {near[0]!r}?" if near else "Correct the column map"
            what = f"no column {name!r} among {_listed(names)}"
            raise InputError("AVL_COLUMN", what, file=path, row=1, field=word, remedy=remedy)
        if names.count(name) > 1:
            what = f"the column {name!r} stands twice"
            raise InputError("AVL_COLUMN", what, file=path, row=1, field=word, remedy="Leave one of them")
    return columns


def _as_tides(names: Sequence[str], path: str | Path) -> ColumnMap:
    missing = [word for word in ("event_timestamp", *NEEDED) if word not in names]
    if missing:
        what = f"not a TIDES file (it has no {', '.join(missing)}), and no column map says what its columns mean"
        remedy = f"Its columns are {_listed(names)}. Give a column map, a TOML file such as:\n{EXAMPLE}\n"
        raise InputError("AVL_COLUMN", what, file=path, row=1, field=missing[0], remedy=remedy)
    present = {word: name for word, name in TIDES.columns.items() if name in names}
    return ColumnMap(MappingProxyType(present), time_format=TIDES.time_format)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name)
