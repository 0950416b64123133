"""A city's scorecard: the nine indicators from its files, and the tables that tell them."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gtfs.feed import read_feed
from networks.faults import Notice
from networks.outfile import write_text
from scenarios.city import City
from scenarios.city_charging import ev_charging
from scenarios.city_dispatch import dispatching
from scenarios.city_fares import fare_payment
from scenarios.city_lights import traffic_management
from scenarios.city_stops import smart_stops
from scenarios.edition import Score
from scenarios.indicators import INDICATORS, Finding, Kind, Project, Scorecard
from scenarios.language import Language, language
from scenarios.message import Message, Percent, Value
from scenarios.scorecard_effects import Effect, read_effects
from scenarios.tables import write_csv

Say = Callable[[str], None]

UNKNOWN = "unknown"
DECIMALS = 4
ENGLISH = language("en")
"""Tables are in the language of their columns."""

_TITLES = {indicator.indicator_id: indicator for indicator in INDICATORS}


@dataclass(frozen=True, slots=True)
class Assessment:
    """A city's scorecard, what was wrong with its data, and what studies say that its projects do."""

    card: Scorecard
    notices: tuple[Notice, ...]
    effects: Mapping[Project, tuple[Effect, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScorecardRow:
    """A row of ``scorecard.csv``: an indicator in one reading; ``counts`` is yes for the reading that earns points.

    ``value`` is a share from 0 to 1, or 1 and 0 for there and not there. It and ``points`` are ``unknown`` where nobody
    knows; ``points`` is empty where the edition gives none. ``low`` and ``high`` bound what is unknown.
    """

    city: str
    synthetic: str
    indicator: str
    project: str
    title: str
    counts: str
    reading: str
    numerator: int | None
    denominator: int | None
    value: str
    low: float
    high: float
    source: str
    how: str
    points: str
    maximum: float


def assess(city: City, say: Say = lambda _text: None) -> Assessment:
    """The nine indicators of a city, computed from what its file names.

    Raises
    ------
    InputError
        As the readers of the files do, one fault at a time.
    """
    feed = None
    if city.transit is not None:
        say(f"reading {city.transit.feed.name}")
        feed = read_feed(city.transit.feed)
    parts = (
        dispatching(city, feed, say),
        fare_payment(city, feed),
        traffic_management(city, say),
        smart_stops(city, feed),
        ev_charging(city, feed),
    )
    card = Scorecard(
        city=city.name,
        is_synthetic=city.is_synthetic or any(part.is_synthetic for part in parts),
        findings=tuple(finding for part in parts for finding in part.findings),
        readings=tuple(finding for part in parts for finding in part.readings),
    )
    return Assessment(card, tuple(notice for part in parts for notice in part.notices), read_effects(city.effects))


def write_scorecard(found: Assessment, points: Score, folder: Path) -> None:
    """Write scorecard.csv and scorecard.json.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    write_csv(folder / "scorecard.csv", ScorecardRow, list(_rows(found.card, points)))
    write_text(
        folder / "scorecard.json", json.dumps(scorecard_json(found, points), ensure_ascii=False, indent=2) + "\n"
    )


def scorecard_json(found: Assessment, points: Score) -> dict[str, Any]:
    """A scorecard with its points, ready for JSON. What is unknown is null."""
    card = found.card
    return {
        "city": card.city,
        "is_synthetic": card.is_synthetic,
        "edition": edition_json(points),
        "points": total_json(points),
        "indicators": [_finding_json(finding) | _points_json(points, finding) for finding in card.findings],
        "readings": [_finding_json(finding) for finding in card.readings],
        "effects": [
            {"project": str(project), "measure": ENGLISH.say(effect.measure)} | effect.figures()
            for project, effects in found.effects.items()
            for effect in effects
        ],
        "notices": [asdict(notice) for notice in found.notices],
    }


def edition_json(points: Score) -> dict[str, Any]:
    """What earned the points."""
    edition = points.edition
    return {
        "name": edition.name,
        "version": edition.version,
        "date": edition.written.isoformat(),
        "source": edition.source,
        "gives_points": edition.gives_points,
    }


def total_json(points: Score) -> dict[str, Any] | None:
    """Sums of points; None where the edition gives none."""
    if not points.rows:
        return None
    return {
        "known": points.known,
        "known_maximum": points.known_maximum,
        "maximum": points.maximum,
        "low": points.low,
        "high": points.high,
        "unknown": list(points.unknown),
    }


def summary_lines(card: Scorecard, points: Score, tongue: Language) -> Iterator[str]:
    """A scorecard for the terminal: a line for each indicator, and the points."""
    yield tongue.say(Message("{city} (synthetic)" if card.is_synthetic else "{city}", {"city": card.city}))
    width = max(len(tongue.say(shown(finding))) for finding in card.findings)
    for finding in card.findings:
        value = tongue.say(shown(finding)).rjust(width)
        title, how = (tongue.say(text) for text in (_TITLES[finding.indicator_id].title, finding.how))
        yield f"  {finding.indicator_id}  {value}  {title}: {how}"
    yield "  " + tongue.say(points_told(points))


def points_told(points: Score) -> Message:
    """What a city earns, in a sentence."""
    if not points.rows:
        return Message("No points: edition {edition} does not have all maxima", {"edition": points.edition.name})
    sums: dict[str, Value] = {
        "known": points.known, "known_maximum": points.known_maximum, "low": points.low, "high": points.high,
        "maximum": points.maximum, "unknown": ", ".join(points.unknown),
    }  # fmt: skip
    if points.unknown:
        return Message(
            "{known} of {known_maximum} points by what is known, {low} to {high} of {maximum} in all; unknown: "
            "{unknown}",
            sums,
        )
    return Message("{known} of {maximum} points", sums)


def shown(finding: Finding) -> Message:
    """A value for people."""
    if finding.value is None:
        return Message("unknown")
    if _TITLES[finding.indicator_id].kind == Kind.PRESENCE and finding.denominator is None:
        return Message("yes" if finding.value else "no")
    return Message("{share}", {"share": Percent(finding.value)})


def _rows(card: Scorecard, points: Score) -> Iterator[ScorecardRow]:
    """The readings that count, then all others."""
    counted = {finding.indicator_id: finding for finding in card.findings}
    for finding in card.findings:
        yield _row(card, finding, points, counts=True)
    for finding in card.readings:
        if not _is_same(finding, counted[finding.indicator_id]):
            yield _row(card, finding, points, counts=False)


def _is_same(reading: Finding, counted: Finding) -> bool:
    """Whether a reading is the one that counts: both tell the same numbers of the same data."""
    names = ("value", "numerator", "denominator", "source")
    return all(getattr(reading, name) == getattr(counted, name) for name in names)


def _row(card: Scorecard, finding: Finding, points: Score, *, counts: bool) -> ScorecardRow:
    indicator = _TITLES[finding.indicator_id]
    earned = points.of(finding.indicator_id) if counts else None
    nothing = float("nan")
    return ScorecardRow(
        city=card.city,
        synthetic="yes" if card.is_synthetic else "no",
        indicator=finding.indicator_id,
        project=indicator.project,
        title=ENGLISH.say(indicator.title),
        counts="yes" if counts else "no",
        reading="" if finding.reading is None else ENGLISH.say(finding.reading),
        numerator=finding.numerator,
        denominator=finding.denominator,
        value=UNKNOWN if finding.value is None else f"{finding.value:.{DECIMALS}f}",
        low=nothing if finding.low is None else finding.low,
        high=nothing if finding.high is None else finding.high,
        source=finding.source or "",
        how=ENGLISH.say(finding.how),
        points="" if earned is None else UNKNOWN if earned.points is None else f"{earned.points:g}",
        maximum=nothing if earned is None else earned.maximum,
    )


def _finding_json(finding: Finding) -> dict[str, Any]:
    indicator = _TITLES[finding.indicator_id]
    return {
        "indicator": finding.indicator_id,
        "project": str(indicator.project),
        "kind": str(indicator.kind),
        "title": ENGLISH.say(indicator.title),
        "reading": None if finding.reading is None else ENGLISH.say(finding.reading),
        "numerator": finding.numerator,
        "denominator": finding.denominator,
        "value": finding.value,
        "low": finding.low,
        "high": finding.high,
        "source": finding.source,
        "how": ENGLISH.say(finding.how),
    }


def _points_json(points: Score, finding: Finding) -> dict[str, Any]:
    earned = points.of(finding.indicator_id)
    return {"points": None if earned is None else earned.points, "maximum": None if earned is None else earned.maximum}
