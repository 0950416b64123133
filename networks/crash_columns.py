"""Which column of a crash file means what: told in a TOML file, or recognised by the usual names."""

import codecs
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from networks.faults import InputError
from networks.intake import open_bytes
from networks.street_names import without_accents

GEOMETRY_LON, GEOMETRY_LAT = "geometry.lon", "geometry.lat"
"""Names of the columns that a GeoJSON point becomes."""

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "lat": (GEOMETRY_LAT, "latitude", "lat", "широта", "ендік", "breitengrad", "ygcswgs84"),
    "lon": (GEOMETRY_LON, "longitude", "lon", "lng", "long", "долгота", "бойлық", "längengrad", "xgcswgs84"),
    "time": (
        *("data_hora", "datetime", "date_time", "timestamp", "crash_datetime", "accident_datetime", "crash_date"),
        *("accident_date", "collision_date", "date", "data", "fecha", "datum", "дата", "күні", "time"),
    ),
    "deaths": (
        *("fatais", "mortes", "deaths", "fatalities", "number_of_persons_killed", "killed", "injuries_fatal"),
        *("fatal_count", "number_of_fatalities", "погибло", "погибших", "қаза_тапқандар"),
    ),
    "injured": (
        *("feridos", "injured", "injuries", "number_of_persons_injured", "injuries_total", "total_injuries"),
        *("number_of_injured", "injured_count", "ранено", "раненых", "жараланғандар"),
    ),
    "severely_injured": (
        *("feridos_gr", "severely_injured", "seriously_injured", "serious_injuries", "injuries_incapacitating"),
        *("schwerverletzte", "тяжело_ранено", "ауыр_жараланғандар"),
    ),
    "type": (
        *("tipo_acid", "crash_type", "collision_type", "accident_type", "type_of_collision", "first_crash_type"),
        *("type", "tipo", "unfallart", "вид_дтп", "тип_дтп"),
    ),
    "street": (
        "log1",
        "street",
        "street_name",
        "on_street_name",
        "primary_road",
        "road",
        "logradouro",
        "улица",
        "көше",
    ),
    "cross_street": (
        *("log2", "cross_street", "cross_street_name", "intersecting_street", "secondary_road", "street2"),
        *("cruzamento", "пересечение", "қиылыс"),
    ),
    "synthetic": ("synthetic",),
    "severity": ("severity", "crash_severity", "accident_severity", "injury_severity", "gravidade", "тяжесть"),
}
"""Names by which a column is recognised, the surest first, whatever its case, accents and separators."""

USUAL_PARTIES = (
    *("auto", "taxi", "lotacao", "onibus_urb", "onibus_met", "onibus_int", "caminhao", "moto", "carroca", "bicicleta"),
    *("cars", "buses", "trucks", "motorcycles", "bicycles", "pedestrians", "parties"),
)


@dataclass(frozen=True, slots=True)
class SeverityRule:
    """Words of a column that say how bad a crash was; any other word is damage only."""

    column: str
    fatal: frozenset[str]
    injury: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlaceRule:
    """Words of a column by which the police put a crash at a junction or between two; others tell nothing."""

    column: str
    junction: frozenset[str]
    between: frozenset[str]


@dataclass(frozen=True, slots=True)
class SeverityWeights:
    """How much a crash counts by the worst harm in it. The values are those of Brazil's road authority (1, 5, 13)."""

    damage: float = 1.0
    injury: float = 5.0
    fatal: float = 13.0


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """What the columns of a crash file mean; None where it is to be found out, or is not there.

    A place is ``lon`` and ``lat`` in degrees, or ``x`` and ``y`` with their ``crs`` (as pyproj takes it, such as
    ``EPSG:31982``). ``time_format`` is that of Python's strptime. ``parties`` are columns that count or name who was in
    it; ``synthetic`` is one that says 1, true or yes where a record was made up.
    """

    lat: str | None = None
    lon: str | None = None
    x: str | None = None
    y: str | None = None
    crs: str | None = None
    time: str | None = None
    time_format: str | None = None
    deaths: str | None = None
    injured: str | None = None
    severely_injured: str | None = None
    type: str | None = None
    street: str | None = None
    cross_street: str | None = None
    synthetic: str | None = None
    parties: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    severity: SeverityRule | None = None
    place: PlaceRule | None = None
    weights: SeverityWeights = SeverityWeights()


SETTINGS = ("crs", "time_format", "encoding", "delimiter", "decimal")
COLUMN_FIELDS = (
    *("lat", "lon", "x", "y", "time", "deaths", "injured", "severely_injured"),
    *("type", "street", "cross_street", "synthetic"),
)
_SEVERITY_KEYS = ("column", "fatal", "injury")
_PLACE_KEYS = ("column", "junction", "between")
USUAL_FATAL = frozenset({"fatal", "k", "killed", "fatality"})
USUAL_INJURY = frozenset({"injury", "injured", "serious", "slight", "severe", "minor", "a", "b", "c"})


def read_column_map(path: str | Path) -> ColumnMap:
    """Read a column map from TOML.

    Raises
    ------
    InputError
        FILE_MISSING; CONFIG_VALUE where it is no TOML or a value is of the wrong kind; CONFIG_KEY for a key that is not
        known, with the nearest one that is.
    """
    with open_bytes(path) as stream:
        try:
            table = tomllib.loads(stream.read().decode("utf-8"))
        except ValueError as fault:
            raise InputError(
                "CONFIG_VALUE", f"not readable as TOML ({fault})", file=path, remedy="Correct it"
            ) from fault
    _check_keys(table, [field.name for field in fields(ColumnMap)], path)
    values: dict[str, Any] = {key: _text(table[key], key, path) for key in (*COLUMN_FIELDS, *SETTINGS) if key in table}
    if "parties" in table:
        values["parties"] = _texts(table["parties"], "parties", path)
    if "severity" in table:
        column, words = _words_of(table["severity"], "severity", _SEVERITY_KEYS, path)
        values["severity"] = SeverityRule(column, *words)
    if "place" in table:
        column, words = _words_of(table["place"], "place", _PLACE_KEYS, path)
        values["place"] = PlaceRule(column, *words)
    if "weights" in table:
        values["weights"] = _weights(table["weights"], path)
    columns = ColumnMap(**values)
    _check_settings(columns, path)
    return columns


def _check_keys(table: Mapping[str, Any], known: Collection[str], path: str | Path, inside: str = "") -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0)
            remedy = f"Did you mean {near[0]!r}? Known are {', '.join(known)}"
            raise InputError("CONFIG_KEY", f"unknown key {key!r}", file=path, field=inside + key, remedy=remedy)


def _text(value: Any, key: str, path: str | Path) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(value, "a text in quotes", key, path)
    return value


def _texts(value: Any, key: str, path: str | Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(value, "a list of texts", key, path)
    return tuple(_text(str(item) if isinstance(item, int) else item, key, path) for item in value)


def _words_of(value: Any, key: str, known: tuple[str, str, str], path: str | Path) -> tuple[str, list[frozenset[str]]]:
    """The column of a rule, and its two lists of words, without case."""
    column, *lists = known
    if not isinstance(value, dict) or column not in value:
        raise _wrong(value, f"a table with `{column}`, `{lists[0]}` and `{lists[1]}`", key, path)
    _check_keys(value, known, path, f"{key}.")
    words = [frozenset(map(str.casefold, _texts(value.get(name, []), f"{key}.{name}", path))) for name in lists]
    both = sorted(words[0] & words[1])
    if both:
        raise _wrong(both[0], f"one of `{lists[0]}` or `{lists[1]}`, not of both", key, path)
    return _text(value[column], f"{key}.{column}", path), words


def _weights(value: Any, path: str | Path) -> SeverityWeights:
    if not isinstance(value, dict):
        raise _wrong(value, "a table with `damage`, `injury` and `fatal`", "weights", path)
    _check_keys(value, [field.name for field in fields(SeverityWeights)], path, "weights.")
    for key, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
            raise _wrong(weight, "a number of at least 0", f"weights.{key}", path)
    return SeverityWeights(**{key: float(weight) for key, weight in value.items()})


def _check_settings(columns: ColumnMap, path: str | Path) -> None:
    if columns.encoding is not None:
        try:
            codecs.lookup(columns.encoding)
        except LookupError:
            raise _wrong(columns.encoding, "an encoding such as utf-8 or latin-1", "encoding", path) from None
    if columns.delimiter is not None and len(columns.delimiter) != 1:
        raise _wrong(columns.delimiter, "one letter", "delimiter", path)
    if columns.decimal is not None and columns.decimal not in {".", ","}:
        raise _wrong(columns.decimal, "a point or a comma", "decimal", path)
    for one, other in (("lat", "lon"), ("lon", "lat"), ("x", "y"), ("y", "x")):
        if getattr(columns, one) and not getattr(columns, other):
            raise InputError(
                "CONFIG_VALUE", f"{one} without {other}", file=path, field=one, remedy=f"Name the column of {other} too"
            )


def _wrong(value: Any, wanted: str, key: str, path: str | Path) -> InputError:
    return InputError("CONFIG_VALUE", f"{value!r} is not {wanted}", file=path, field=key, remedy=f"Give {wanted}")


def resolve_columns(given: ColumnMap, names: Collection[str], path: str | Path) -> ColumnMap:
    """Complete a map for one file: every column told must be there, others are recognised by their usual names.

    Raises
    ------
    InputError
        CRASH_COLUMN where a column that was told, or the place, is not in the file.
    """
    told = {field: getattr(given, field) for field in COLUMN_FIELDS if getattr(given, field) is not None}
    for field, name in [*told.items(), *(("parties", name) for name in given.parties)]:
        _require(name, field, names, path)
    for field, rule in (("severity", given.severity), ("place", given.place)):
        if rule is not None:
            _require(rule.column, field, names, path)
    by_plain_name = {_plain(name): name for name in reversed(list(names))}
    found = {field: _recognised(field, by_plain_name) for field in COLUMN_FIELDS if field in USUAL_NAMES}
    values = {field: getattr(given, field) for field in (*SETTINGS, "severity", "place", "weights")} | found | told
    if given.x is not None:
        values |= {"lat": None, "lon": None}
    elif values["lat"] is None or values["lon"] is None:
        remedy = "Name the columns `lat` and `lon`, or `x`, `y` and `crs`, in a column map"
        raise InputError("CRASH_COLUMN", f"no column for the place among {_listed(names)}", file=path, remedy=remedy)
    values["parties"] = given.parties or tuple(
        by_plain_name[name] for name in map(_plain, USUAL_PARTIES) if name in by_plain_name
    )
    if values["severity"] is None and values["deaths"] is None and values["injured"] is None:
        column = _recognised("severity", by_plain_name)
        values["severity"] = None if column is None else SeverityRule(column, USUAL_FATAL, USUAL_INJURY)
    return ColumnMap(**values)


def _require(name: str, field: str, names: Collection[str], path: str | Path) -> None:
    if name not in names:
        near = get_close_matches(name, list(names), n=1, cutoff=0)
        remedy = f"Did you mean {near[0]!r}?" if near else "Correct the column map"
        raise InputError(
            "CRASH_COLUMN", f"no column {name!r} among {_listed(names)}", file=path, field=field, remedy=remedy
        )


def _recognised(field: str, by_plain_name: Mapping[str, str]) -> str | None:
    return next((by_plain_name[name] for name in map(_plain, USUAL_NAMES[field]) if name in by_plain_name), None)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", without_accents(name))


def _listed(names: Collection[str]) -> str:
    return ", ".join(name for name in names if name)
