"""What is to be said, apart from the language that it is said in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Percent:
    """A share from 0 to 1 that is read as so many per cent."""

    share: float


Value = str | int | float | date | Percent


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence in English with named places, such as ``{routes} of {all} routes``, and what stands in them.

    The English sentence is the key of its translations. Numbers and dates stand in their places as values, so that each
    language writes them its own way; strings stand as they are.
    """

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)
