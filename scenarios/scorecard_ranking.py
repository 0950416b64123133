"""Cities ranked by their points, as far as that can be told: what is unknown leaves a range of ranks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from networks.faults import InputError
from networks.outfile import write_text
from scenarios.edition import Edition, Score, score
from scenarios.language import Language
from scenarios.message import Message
from scenarios.scorecard import ENGLISH, Assessment, edition_json, points_told, scorecard_json, shown
from scenarios.tables import write_csv

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class RankedCity:
    """A city among others.

    Attributes
    ----------
    best, worst
        Ranks that it may have, whatever the unknown turns out to be; None where the edition gives no points.
    """

    found: Assessment
    score: Score
    best: int | None
    worst: int | None


@dataclass(frozen=True, slots=True)
class RankingRow:
    """A row of ``ranking.csv``: a city, its ranks and points. Lists in one cell are parted by blanks.

    ``points_known`` of ``maximum_known`` are those of the indicators that are known, ``points_low`` and ``points_high``
    bound the sum over all.
    """

    rank_best: int | None
    rank_worst: int | None
    city: str
    synthetic: str
    points_known: float
    maximum_known: float
    points_low: float
    points_high: float
    maximum: float
    known: int
    unknown: str


@dataclass(frozen=True, slots=True)
class LackRow:
    """A row of ``lacks.csv``: what a city lacks in an indicator, and the points that all of it would bring.

    ``value`` is ``unknown`` where the data are what is lacking; ``to_gain`` then is what there is to earn.
    """

    city: str
    indicator: str
    value: str
    to_gain: float
    how: str


def rank_cities(found: Sequence[Assessment], edition: Edition) -> tuple[RankedCity, ...]:
    """Cities by the ranks that they may have, the best first; by name where there are no points.

    One city stands before another for sure where the least that it may earn is above the most that the other may.

    Raises
    ------
    InputError
        CONFIG_VALUE where two cities have one name.
    """
    names = [one.card.city for one in found]
    for name in sorted({name for name in names if names.count(name) > 1}):
        what, remedy = f"two cities are named {name!r}", "Name each in its [city] section"
        raise InputError("CONFIG_VALUE", what, field="city.name", remedy=remedy)
    scores = [score(one.card, edition) for one in found]
    ranked = [RankedCity(one, points, *_ranks(points, scores)) for one, points in zip(found, scores, strict=True)]
    return tuple(sorted(ranked, key=_order))


def _ranks(own: Score, scores: Sequence[Score]) -> tuple[int | None, int | None]:
    if not own.rows:
        return None, None
    best = 1 + sum(other.low > own.high + _ROUNDING for other in scores)
    worst = 1 + sum(other.high > own.low + _ROUNDING for other in scores if other is not own)
    return best, worst


def _order(city: RankedCity) -> tuple[float, float, float, float, str]:
    known = city.score.known / city.score.known_maximum if city.score.known_maximum else 0.0
    return city.best or 0, city.worst or 0, -known, -city.score.known, city.found.card.city


def write_ranking(ranked: Sequence[RankedCity], folder: Path) -> None:
    """Write ranking.csv, lacks.csv and ranking.json.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    write_csv(folder / "ranking.csv", RankingRow, [_row(city) for city in ranked])
    write_csv(folder / "lacks.csv", LackRow, [row for city in ranked for row in lacks(city)])
    write_text(folder / "ranking.json", json.dumps(ranking_json(ranked), ensure_ascii=False, indent=2) + "\n")


def ranking_json(ranked: Sequence[RankedCity]) -> dict[str, Any]:
    """The ranking with each city's scorecard, ready for JSON."""
    return {
        "edition": edition_json(ranked[0].score),
        "cities": [
            {"rank_best": city.best, "rank_worst": city.worst} | scorecard_json(city.found, city.score)
            for city in ranked
        ],
    }


def lacks(city: RankedCity) -> Iterator[LackRow]:
    """What a city lacks: indicators that are unknown or below the whole."""
    for finding in city.found.card.findings:
        if finding.value is None or finding.value < 1:
            earned = city.score.of(finding.indicator_id)
            gain = float("nan") if earned is None else earned.maximum - (earned.points or 0.0)
            yield LackRow(
                city.found.card.city, finding.indicator_id, ENGLISH.say(shown(finding)), gain, ENGLISH.say(finding.how)
            )


def ranking_lines(ranked: Sequence[RankedCity], tongue: Language) -> Iterator[str]:
    """The ranking for the terminal."""
    for city in ranked:
        rank = "-".join(dict.fromkeys(str(one) for one in (city.best, city.worst) if one is not None))
        yield f"{rank}{'. ' if rank else ''}{city.found.card.city}: {tongue.say(points_told(city.score))}"
        rows = [finding for finding in city.found.card.findings if finding.value is None or finding.value < 1]
        lacking = ", ".join(f"{finding.indicator_id} {tongue.say(shown(finding))}" for finding in rows)
        if lacking:
            yield "    " + tongue.say(Message("lacks: {what}", {"what": lacking}))


def _row(city: RankedCity) -> RankingRow:
    card, points = city.found.card, city.score
    nothing = float("nan")
    return RankingRow(
        rank_best=city.best,
        rank_worst=city.worst,
        city=card.city,
        synthetic="yes" if card.is_synthetic else "no",
        points_known=points.known if points.rows else nothing,
        maximum_known=points.known_maximum if points.rows else nothing,
        points_low=points.low if points.rows else nothing,
        points_high=points.high if points.rows else nothing,
        maximum=points.maximum if points.rows else nothing,
        known=sum(finding.value is not None for finding in card.findings),
        unknown=" ".join(finding.indicator_id for finding in card.findings if finding.value is None),
    )
