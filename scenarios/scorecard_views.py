"""What the pages of scorecards show: rows of values and messages, in no language yet."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scenarios.edition import Rule, Score
from scenarios.indicators import INDICATORS, Finding, Indicator, Kind, Project, Scorecard
from scenarios.message import Message, Percent
from scenarios.scorecard import shown
from scenarios.scorecard_ranking import RankedCity

PROJECTS = {
    Project.DISPATCHING: Message("Public-transport dispatching"),
    Project.FARE_PAYMENT: Message("Electronic fare payment"),
    Project.TRAFFIC_MANAGEMENT: Message("City traffic management"),
    Project.SMART_STOPS: Message("Smart stops"),
    Project.EV_CHARGING: Message("Charging of electric vehicles"),
}
MORE = {
    "D2": Message("{more} more {more:route|routes}"),
    "D3": Message("{more} more {more:vehicle|vehicles}"),
    "F1": Message("{more} more {more:route|routes}"),
    "F2": Message("{more} more {more:vehicle|vehicles}"),
    "F3": Message("{more} more {more:payment|payments}"),
    "T1": Message("{more} more {more:place|places}"),
    "S1": Message("{more} more {more:stop|stops}"),
}
"""What a next step is made of; a presence is there or not."""

EXISTS = Message("to have it")

_STEP = 0.1
"""Where an edition has no bands, a step is a tenth of all."""

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Step:
    """The least that earns more points: how it is done, and what it earns."""

    how: Message
    gain: float


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An indicator as the board shows it; ``rule`` and points are None where the edition gives none."""

    indicator: Indicator
    finding: Finding
    value: Message
    points: float | None
    low: float
    high: float
    maximum: float | None
    step: Step | None


@dataclass(frozen=True, slots=True)
class BoardPart:
    """A project with its indicators, and how many points are left to earn there for sure."""

    project: Project
    title: Message
    rows: tuple[BoardRow, ...]

    @property
    def left(self) -> float | None:
        """Points left to earn with what is known; None where nothing is known or the edition gives none."""
        known = [row.maximum - row.points for row in self.rows if row.points is not None and row.maximum is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way of reading an indicator; ``counts`` where it is the one that earns points."""

    title: Message
    finding: Finding
    value: Message
    points: float | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Readings:
    """The ways of reading an indicator, and how far they lie apart: None where fewer than two are known."""

    indicator: Indicator
    rows: tuple[Reading, ...]
    least: float | None
    most: float | None

    @property
    def spread(self) -> Message | None:
        """How much the choice matters."""
        if self.least is None or self.most is None:
            return None
        values = {"least": Percent(self.least), "most": Percent(self.most)}
        if self.most - self.least < _ROUNDING:
            return Message("All ways of reading give {least}", values)
        points = [row.points for row in self.rows if row.points is not None]
        if not points or min(points) == max(points):
            return Message("By the way of reading it is {least} to {most}", values)
        return Message(
            "By the way of reading it is {least} to {most}, or {fewest} to {largest} points",
            {**values, "fewest": min(points), "largest": max(points)},
        )


def board(card: Scorecard, points: Score) -> tuple[BoardPart, ...]:
    """The nine indicators by project."""
    rows = tuple(_board_row(card, points, indicator) for indicator in INDICATORS)
    return tuple(
        BoardPart(project, title, tuple(row for row in rows if row.indicator.project == project))
        for project, title in PROJECTS.items()
    )


def readings(card: Scorecard, points: Score) -> tuple[Readings, ...]:
    """Indicators with more than one reading, in the standard's order."""
    found = (_readings(card, points, indicator) for indicator in INDICATORS)
    return tuple(one for one in found if len(one.rows) > 1)


def next_step(finding: Finding, rule: Rule) -> Step | None:
    """The least change that earns more points; None where it is unknown what there is, or nothing more to earn."""
    now = None if finding.value is None else rule.points(finding.value)
    if now is None or finding.value is None:
        return None
    if finding.indicator_id not in MORE:
        gain = (rule.points(1.0) or 0.0) - now
        return Step(EXISTS, gain) if gain > _ROUNDING else None
    for count in _targets(finding, rule):
        gain = (rule.points(count / (finding.denominator or 1)) or 0.0) - now
        if gain > _ROUNDING:
            more = count - (finding.numerator or 0)
            return Step(Message(MORE[finding.indicator_id].text, {"more": more}), gain)
    return None


def _targets(finding: Finding, rule: Rule) -> Iterator[int]:
    """Counts at which a next band begins, or a tenth of all more; all at last."""
    counted, everything = finding.numerator, finding.denominator
    if counted is None or not everything:
        return
    if not rule.bands:
        yield min(counted + math.ceil(_STEP * everything - _ROUNDING), everything)
    firsts = [math.floor((band.up_to + _ROUNDING) * everything) + 1 for band in rule.bands]
    yield from (first for first in firsts if counted < first < everything)
    yield everything


def _board_row(card: Scorecard, points: Score, indicator: Indicator) -> BoardRow:
    name = indicator.indicator_id
    finding = next(one for one in card.findings if one.indicator_id == name)
    earned = points.of(name)
    rule = _rule(points, name) if earned is not None else None
    return BoardRow(
        indicator=indicator,
        finding=finding,
        value=shown(finding),
        points=None if earned is None else earned.points,
        low=0.0 if earned is None else earned.low,
        high=0.0 if earned is None else earned.high,
        maximum=None if earned is None else earned.maximum,
        step=None if rule is None else next_step(finding, rule),
    )


def _rule(points: Score, indicator_id: str) -> Rule | None:
    return next((rule for rule in points.edition.rules if rule.indicator_id == indicator_id), None)


def _readings(card: Scorecard, points: Score, indicator: Indicator) -> Readings:
    name = indicator.indicator_id
    own = [one for one in card.readings if one.indicator_id == name and one.reading is not None]
    counted = next(one for one in card.findings if one.indicator_id == name)
    rule = _rule(points, name) if points.of(name) is not None else None
    rows = tuple(_reading(one, counted, rule) for one in own)
    # a reading of its own kind, such as reach beside a presence, is no other way to the same number
    known = [one.value for one in own if one.value is not None and indicator.kind == Kind.SHARE]
    is_spread = name == "T1" and len(known) > 1
    return Readings(indicator, rows, min(known) if is_spread else None, max(known) if is_spread else None)


def _reading(finding: Finding, counted: Finding, rule: Rule | None) -> Reading:
    earned = None if rule is None or finding.value is None else rule.points(finding.value)
    names = ("value", "numerator", "denominator", "source")
    counts = all(getattr(finding, name) == getattr(counted, name) for name in names)
    return Reading(finding.reading or Message("unknown"), finding, shown(finding), earned, counts)


def unknown_of(card: Scorecard) -> Sequence[Finding]:
    """Findings of which nobody knows."""
    return [finding for finding in card.findings if finding.value is None]


@dataclass(frozen=True, slots=True)
class CityCell:
    """What a city has of an indicator."""

    finding: Finding
    value: Message
    points: float | None
    maximum: float | None


@dataclass(frozen=True, slots=True)
class CityRow:
    """A city among others: the ranks it may have, its points, its indicators."""

    city: str
    is_synthetic: bool
    best: int | None
    worst: int | None
    points: Score
    cells: tuple[CityCell, ...]

    @property
    def lacking(self) -> tuple[CityCell, ...]:
        """Indicators that are known and below the whole."""
        return tuple(cell for cell in self.cells if cell.finding.value is not None and cell.finding.value < 1)

    @property
    def unknown(self) -> tuple[CityCell, ...]:
        """Indicators of which nobody knows."""
        return tuple(cell for cell in self.cells if cell.finding.value is None)


def city_rows(ranked: Sequence[RankedCity]) -> tuple[CityRow, ...]:
    """Cities in the order of their ranks."""
    return tuple(
        CityRow(
            city=one.found.card.city,
            is_synthetic=one.found.card.is_synthetic,
            best=one.best,
            worst=one.worst,
            points=one.score,
            cells=tuple(_city_cell(finding, one.score) for finding in one.found.card.findings),
        )
        for one in ranked
    )


def _city_cell(finding: Finding, points: Score) -> CityCell:
    earned = points.of(finding.indicator_id)
    maximum = None if earned is None else earned.maximum
    return CityCell(finding, shown(finding), None if earned is None else earned.points, maximum)
