"""Pages of scorecards for a city hall: one city on one sheet of paper, and cities side by side."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from networks.outfile import write_text
from scenarios.edition import Score
from scenarios.indicators import INDICATORS
from scenarios.language import Language
from scenarios.message import Message, Value
from scenarios.page import page_environment
from scenarios.scorecard import Assessment
from scenarios.scorecard_effects import NOT_MEASURED
from scenarios.scorecard_ranking import RankedCity
from scenarios.scorecard_views import board, city_rows, readings, unknown_of

FILE_NAME = "report.html"


def write_scorecard_page(found: Assessment, points: Score, tongue: Language, folder: Path) -> None:
    """Write ``report.html`` of a city.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    write_text(folder / FILE_NAME, scorecard_page(found, points, tongue))


def scorecard_page(found: Assessment, points: Score, tongue: Language) -> str:
    """A city's page as HTML: the board, the ways of reading, what raising each indicator would bring."""
    card = found.card
    return _render(
        "scorecard.html.j2",
        tongue,
        card=card,
        points=points,
        parts=board(card, points),
        readings=readings(card, points),
        unknown=unknown_of(card),
        effects=found.effects,
        not_measured=NOT_MEASURED,
    )


def write_comparison_page(ranked: Sequence[RankedCity], tongue: Language, folder: Path) -> None:
    """Write ``report.html`` of cities side by side.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    write_text(folder / FILE_NAME, comparison_page(ranked, tongue))


def comparison_page(ranked: Sequence[RankedCity], tongue: Language) -> str:
    """Cities side by side as HTML: ranks, the nine indicators of each, what each lacks."""
    return _render(
        "scorecard_compare.html.j2",
        tongue,
        cities=city_rows(ranked),
        indicators=INDICATORS,
        points=ranked[0].score,
        is_synthetic=any(city.found.card.is_synthetic for city in ranked),
    )


def _render(template: str, tongue: Language, **values: Any) -> str:
    spoken: dict[str, Callable[..., str]] = {
        "say": _sayer(tongue),
        "number": tongue.number,
        "signed": lambda value: tongue.number(value, signed=True),
    }
    text: str = page_environment().get_template(template).render(tongue=tongue, **spoken, **values)
    return text


def _sayer(tongue: Language) -> Callable[..., str]:
    """What a template says with: a message as it is, or an English text with its values."""

    def say(template_text: str | Message, **values: Value) -> str:
        if isinstance(template_text, Message):
            return tongue.say(template_text)
        return tongue.say(Message(template_text, values))

    return say
