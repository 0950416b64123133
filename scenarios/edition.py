"""Editions of the ranking's methodology: how many points a share earns. Data files, as editions change."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from gtfs.service_day import parse_day
from networks.faults import InputError
from networks.intake import open_bytes
from scenarios.indicators import INDICATORS, Finding, Scorecard
from scenarios.scenario_check import Check

FOLDER = Path(__file__).parent / "editions"
DEFAULT_EDITION = "academic"
EDITIONS = ("academic", "template")
IDS = tuple(indicator.indicator_id for indicator in INDICATORS)
_ROUNDING = 1e-9
"""Shares are fractions: 3 of 15 must not lie beyond 0.2."""


@dataclass(frozen=True, slots=True)
class Band:
    """A share of at most ``up_to`` earns so many points."""

    up_to: float
    points: float


@dataclass(frozen=True, slots=True)
class Rule:
    """How an indicator earns points: up to ``maximum`` before its weight, None where the edition does not say."""

    indicator_id: str
    maximum: float | None
    weight: float
    bands: tuple[Band, ...]

    def points(self, share: float) -> float | None:
        """Points of a share, the weight in them: by the bands where there are some, else so much of the maximum."""
        if self.maximum is None:
            return None
        found = next((band.points for band in self.bands if share <= band.up_to + _ROUNDING), None)
        return self.weight * (self.maximum * share if found is None else found)


@dataclass(frozen=True, slots=True)
class Edition:
    """A version of the methodology; indicators that it does not count have no rule."""

    name: str
    version: str
    written: date
    source: str
    rules: tuple[Rule, ...]

    @property
    def gives_points(self) -> bool:
        """Whether all maxima are known; with one missing, a sum would say nothing."""
        return bool(self.rules) and all(rule.maximum is not None for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Points:
    """What an indicator earns: ``points`` of ``maximum``, None where the unknown leaves it from ``low`` to ``high``."""

    indicator_id: str
    points: float | None
    low: float
    high: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Score:
    """A city's points under an edition, in the standard's order; no rows where the edition gives none."""

    edition: Edition
    rows: tuple[Points, ...]

    @property
    def known(self) -> float:
        """Points of the indicators that are known."""
        return sum(row.points for row in self.rows if row.points is not None)

    @property
    def known_maximum(self) -> float:
        """What those that are known could earn."""
        return sum(row.maximum for row in self.rows if row.points is not None)

    @property
    def maximum(self) -> float:
        """What all could earn."""
        return sum(row.maximum for row in self.rows)

    @property
    def low(self) -> float:
        """The least that the sum may be, whatever the unknown turns out to be."""
        return sum(row.low for row in self.rows)

    @property
    def high(self) -> float:
        """The most that the sum may be."""
        return sum(row.high for row in self.rows)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Indicators that count and of which nobody knows what they earn."""
        return tuple(row.indicator_id for row in self.rows if row.points is None)

    def of(self, indicator_id: str) -> Points | None:
        """Points of an indicator, None where the edition does not count it or gives none."""
        return next((row for row in self.rows if row.indicator_id == indicator_id), None)


def score(card: Scorecard, edition: Edition) -> Score:
    """Points of a city's findings under an edition."""
    if not edition.gives_points:
        return Score(edition, ())
    found = {finding.indicator_id: finding for finding in card.findings}
    return Score(edition, tuple(_points(rule, found.get(rule.indicator_id)) for rule in edition.rules))


def _points(rule: Rule, finding: Finding | None) -> Points:
    value = None if finding is None else finding.value
    low = 0.0 if finding is None or finding.low is None else finding.low
    high = 1.0 if finding is None or finding.high is None else finding.high
    least, most = (rule.points(share if value is None else value) or 0.0 for share in (low, high))
    known = least if value is not None or least == most else None
    return Points(rule.indicator_id, known, least, most, rule.weight * (rule.maximum or 0.0))


def find_edition(name: str | Path) -> Edition:
    """An edition that comes with the package, by name, or one from a TOML file.

    Raises
    ------
    InputError
        FILE_MISSING; CONFIG_TOML; ScenarioError with CONFIG_KEY or CONFIG_VALUE, all faults at once.
    """
    if str(name) in EDITIONS:
        return read_edition(FOLDER / f"{name}.toml")
    if not str(name).endswith(".toml"):
        what, remedy = f"unknown edition {str(name)!r}", f"Use {', '.join(EDITIONS)} or a file that ends in .toml"
        raise InputError("CONFIG_VALUE", what, field="--edition", remedy=remedy)
    return read_edition(Path(name))


def read_edition(path: Path) -> Edition:
    """Read and check a file of an edition."""
    return edition_from(read_toml(path), path)


def read_toml(path: Path) -> Mapping[str, Any]:
    """A TOML document; CONFIG_TOML with the line where it is none."""
    with open_bytes(path) as stream:
        try:
            return tomllib.loads(stream.read().decode("utf-8-sig"))
        except (ValueError, RecursionError) as fault:
            line = re.search(r"line (\d+)", str(fault))
            row = int(line.group(1)) if line else None
            raise InputError("CONFIG_TOML", f"not valid TOML ({fault})", file=path, row=row) from fault


def edition_from(document: Mapping[str, Any], path: Path) -> Edition:
    """Check an edition already in memory; ``path`` is what messages name."""
    check = Check(path)
    top = check.table(document, "", ("edition", "band", "indicator"))
    about = check.table(top.get("edition", {}), "edition", ("name", "version", "date", "source"))
    usual = _bands(check, top.get("band", []), "band")
    rows = top.get("indicator", [])
    if not isinstance(rows, list) or not rows:
        check.fault("indicator", "at least one [[indicator]] is needed")
        rows = []
    rules = [_rule(check, row, f"indicator[{number}]", usual) for number, row in enumerate(rows, start=1)]
    ids = [rule.indicator_id for rule in rules]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        check.fault("indicator.id", f"{name!r} stands twice")
    edition = Edition(
        name=check.text(about, "edition.name", path.stem),
        version=_needed(check, about, "edition.version"),
        written=_day(check, about),
        source=_needed(check, about, "edition.source"),
        rules=tuple(sorted(rules, key=lambda rule: IDS.index(rule.indicator_id))),
    )
    check.finish()
    return edition


def _needed(check: Check, table: Mapping[str, Any], where: str) -> str:
    """A text that must be there: points mean nothing without it."""
    return check.text({where.rpartition(".")[2]: ""} | dict(table), where, "")


def _day(check: Check, about: Mapping[str, Any]) -> date:
    given = about.get("date", "")
    if isinstance(given, date):
        return date(given.year, given.month, given.day)
    try:
        return parse_day(str(given))
    except InputError as fault:
        check.fault("edition.date", fault.what, fault.remedy)
        return date.min


def _rule(check: Check, row: Any, where: str, usual: tuple[Band, ...]) -> Rule:
    table = check.table(row, where, ("id", "maximum", "weight", "band"))
    maximum = check.number(table, f"{where}.maximum", 0.0, least=0.0, most=1e6) if "maximum" in table else None
    bands = _bands(check, table["band"], f"{where}.band") if "band" in table else usual
    if maximum is not None and any(band.points > maximum for band in bands):
        check.fault(f"{where}.maximum", f"a band earns more than the maximum of {maximum:g}")
    if "id" not in table:
        check.fault(f"{where}.id", "an indicator needs its id", f"Use one of {', '.join(IDS)}")
    return Rule(
        indicator_id=check.choice(table, f"{where}.id", IDS),
        maximum=maximum,
        weight=check.number(table, f"{where}.weight", 1.0, least=0.0, most=1e6),
        bands=bands,
    )


def _bands(check: Check, rows: Any, where: str) -> tuple[Band, ...]:
    """Bands in order, the last for shares up to 1."""
    if not isinstance(rows, list):
        check.fault(where, f"must be tables, [[{where}]], not {rows!r}")
        return ()
    bands = []
    for number, row in enumerate(rows, start=1):
        table = check.table(row, f"{where}[{number}]", ("up_to", "points"))
        up_to = check.number(table, f"{where}[{number}].up_to", 1.0, least=0.0, most=1.0)
        bands.append(Band(up_to, check.number(table, f"{where}[{number}].points", 0.0, least=0.0, most=1e6)))
    ends = [band.up_to for band in bands]
    if ends and (ends != sorted(set(ends)) or ends[-1] < 1):
        check.fault(where, "up_to must rise from band to band, and be 1 in the last")
    return tuple(bands)
