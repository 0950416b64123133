"""What is to be said, apart from the language that it is said in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Percent:
    """A share from 0 to 1 that is read as so many per cent."""

    share: float


@dataclass(frozen=True, slots=True)
class Signed:
    """A difference, written with its sign."""

    value: float


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence in English with named places, such as ``{routes} of {all} routes``, and what stands in them.

    The English sentence is the key of its translations. Numbers and dates stand in their places as values, so that each
    language writes them its own way; messages stand in their places as they read in the language, several of them as a
    list with commas; strings stand as they are. A place may carry the forms of a word that its number asks for, such as
    ``{routes} {routes:route|routes}``, one form for each plural of the language.
    """

    text: str
    values: Mapping[str, "Value"] = field(default_factory=dict)


Value = str | int | float | date | Percent | Signed | Message | tuple[Message, ...]
