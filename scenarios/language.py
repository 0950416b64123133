"""A language of a report: what a message reads like in it, and how it writes numbers, per cents and dates.

Catalogues are text (``languages/*.po``, read with Babel, nothing is compiled), and the English sentence is the key. A
sentence with no translation stays English; a test holds that there is none.

A place of a message may carry the forms of a word that a number asks for, in the order of the language's plural forms:
``{routes} {routes:route|routes}``, in Russian ``{routes} {routes:маршрут|маршрута|маршрутов}``. So each number of a
sentence has its own, where gettext's plurals know one number alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from string import Formatter

from babel import Locale
from babel.dates import format_date
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

from scenarios.message import Message, Percent, Signed, Value

LANGUAGES = {"en": "English", "ru": "Русский", "kk": "Қазақша"}
"""Codes of the languages with their own names, the first where none is chosen."""

ENGLISH = "en"

CATALOGUES = Path(__file__).parent / "languages"

FORMS = {"en": ("one", "other"), "ru": ("one", "few", "many"), "kk": ("one", "other")}
"""Plural forms of a word in the order in which a place names them (Unicode CLDR)."""

_MOST_DECIMALS = 3
_KEEP_DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its code, and translations by the English sentence."""

    code: str
    texts: Mapping[str, str] = field(default_factory=dict)

    def say(self, message: Message) -> str:
        """Give a message in this language; values stand in their places as the language writes them."""
        text, spoken = self.texts.get(message.text), self.code
        if text is None:
            text, spoken = message.text, ENGLISH
        return "".join(
            words + (self._place(message.values[name], forms or "", spoken) if name is not None else "")
            for words, name, forms, _ in Formatter().parse(text)
        )

    def text(self, words: str) -> str:
        """Give words of a data file in this language where the catalogue knows them, else as they stand."""
        return self.texts.get(words, words)

    def write(self, value: Value) -> str:
        """Give a value as this language writes it; a text stands as it is."""
        match value:
            case str():
                return value
            case Message():
                return self.say(value)
            case tuple():
                return ", ".join(self.say(part) for part in value)
            case _:
                return self._figure(value)

    def _figure(self, value: float | date | Percent | Signed) -> str:
        match value:
            case Percent():
                return self.percent(value.share)
            case Signed():
                return self.number(value.value, signed=True)
            case date():
                return format_date(value, "long", locale=self.code)
            case _:
                return self.number(value)

    def number(self, value: float, *, signed: bool = False) -> str:
        """Write a number with grouped thousands: whole ones whole, others with so many decimals that they show."""
        shown = format_decimal(abs(value), _pattern(_decimals(abs(value))), locale=self.code)
        return _sign(value, signed=signed) + shown

    def percent(self, share: float) -> str:
        """Write a share as per cent, to a tenth; what is not all is never rounded to all, nor anything to nothing."""
        whole = 100 * abs(share)
        steps = range(1 if whole % 1 else 0, _MOST_DECIMALS)
        places = next((places for places in steps if _same_end(round(whole, places), whole)), _MOST_DECIMALS)
        pattern = Locale(self.code).percent_formats[None].pattern.replace("#,##0", _pattern(places))
        return _sign(share, signed=False) + format_percent(abs(share), pattern, locale=self.code)

    def _place(self, value: Value, forms: str, spoken: str) -> str:
        if not forms:
            return self.write(value)
        if not isinstance(value, int | float):
            raise TypeError(f"{forms!r} are forms of a word for a number, not for {value!r}")
        return forms.split("|")[_form(value, spoken)]


@cache
def language(code: str) -> Language:
    """Give a language by its code, one of :data:`LANGUAGES`, with its catalogue."""
    path = CATALOGUES / f"{code}.po"
    return Language(code, read_catalogue(path) if path.exists() else {})


def read_catalogue(path: Path) -> dict[str, str]:
    """Translations of a catalogue by their English text; empty and fuzzy ones are left out."""
    with path.open("rb") as stream:
        catalogue = read_po(stream, abort_invalid=True)
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string and not entry.fuzzy}


def _form(number: float, code: str) -> int:
    """Which of the forms of a word a number asks for; fractions in Russian ask for that of 2 (1,5 маршрута)."""
    names, found = FORMS[code], Locale(code).plural_form(number)
    return names.index(found) if found in names else names.index("few")


def _decimals(size: float) -> int:
    """Two decimals at most, three below a hundredth."""
    rounded = next((places for places in range(_KEEP_DECIMALS) if round(size, places) == size), _KEEP_DECIMALS)
    return rounded if round(size, rounded) or not size else _MOST_DECIMALS


def _same_end(rounded: float, whole: float) -> bool:
    return (rounded in {0.0, 100.0}) == (whole in {0.0, 100.0})


def _pattern(decimals: int) -> str:
    return "#,##0" + ("." + "#" * decimals if decimals else "")


def _sign(value: float, *, signed: bool) -> str:
    return "\N{MINUS SIGN}" if value < 0 else "+" if signed and value > 0 else ""
