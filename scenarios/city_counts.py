"""What is counted in a city: things that have something, that have it not, and of which nobody knows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gtfs.amenities import WORDS
from networks.csv_rows import Row, read_csv_rows
from networks.faults import InputError, Notice
from scenarios.indicators import Finding
from scenarios.message import Message, Percent, Value


@dataclass(frozen=True, slots=True)
class Count:
    """How many have something, of how many it is not known, and how many there are."""

    yes: int
    unknown: int
    all: int

    @property
    def low(self) -> float:
        """Least share that may have it."""
        return self.yes / self.all

    @property
    def high(self) -> float:
        """Greatest share that may have it."""
        return (self.yes + self.unknown) / self.all

    @property
    def values(self) -> Mapping[str, Value]:
        """The count as values of a message."""
        bounds = {"low": Percent(self.low), "high": Percent(self.high)} if self.all else {}
        return {"yes": self.yes, "unknown": self.unknown, "all": self.all, **bounds}


@dataclass(frozen=True, slots=True)
class Found:
    """What a city's data say of a project.

    Attributes
    ----------
    findings
        The readings that count, one for each indicator.
    readings
        All findings of indicators that may be read in several ways.
    notices
        Faults in the data.
    is_synthetic
        Whether any of the data says of itself that it was made up.
    """

    findings: tuple[Finding, ...]
    readings: tuple[Finding, ...] = ()
    notices: tuple[Notice, ...] = ()
    is_synthetic: bool = False


def count(states: Iterable[bool | None]) -> Count:
    """Count what has something (True), has it not (False), or may have it (None)."""
    known = list(states)
    return Count(known.count(True), known.count(None), len(known))


def share(
    indicator_id: str,
    counted: Count,
    known: Message,
    partly: Message,
    *,
    source: str | None,
    reading: Message | None = None,
) -> Finding:
    """A share of all; where of some nothing is known it is unknown too, and bounded.

    Parameters
    ----------
    known, partly
        How it came about where all is known, and where it is not; the count is put in their places.
    """
    if not counted.all:
        how = Message("There is nothing to count in the data")
        return Finding(indicator_id, None, how, 0, 0, reading, source)
    how = filled(partly if counted.unknown else known, counted.values)
    whole = Finding(indicator_id, None, how, counted.yes, counted.all, reading, source)
    if counted.unknown == counted.all:
        return replace(whole, numerator=None)
    if counted.unknown:
        return replace(whole, numerator=None, low=counted.low, high=counted.high)
    return replace(whole, value=counted.low)


def filled(message: Message, values: Mapping[str, Value]) -> Message:
    """A message with more values in its places."""
    return Message(message.text, {**message.values, **values})


def names_of(*files: Path | None) -> str | None:
    """Files as a source names them."""
    return ", ".join(dict.fromkeys(file.name for file in files if file is not None)) or None


def read_states(path: Path, key: str, state: str) -> tuple[dict[str, bool | None], tuple[Notice, ...]]:
    """A table (CSV) of things by their id with ``yes``, ``no`` or nothing for unknown.

    A word that is neither is noted and unknown; of an id that stands twice the first row counts.

    Raises
    ------
    InputError
        As :func:`networks.csv_rows.read_csv_rows`; CITY_COLUMNS where a column is missing.
    """
    states: dict[str, bool | None] = {}
    notices: list[Notice] = []
    for line, row in read_table(path, (key, state)):
        word = row[state].lower()
        if not row[key] or row[key] in states:
            notices.append(Notice("CITY_ID", "warning", str(path), line, key, row[key], "Give each row its own id"))
            continue
        states[row[key]] = WORDS.get(word)
        if word not in WORDS:
            remedy = "Write yes, no, or nothing; it is taken as unknown"
            notices.append(Notice("CITY_WORD", "warning", str(path), line, state, row[state], remedy))
    return states, tuple(notices)


def read_table(path: Path, needed: tuple[str, ...]) -> list[tuple[int, Row]]:
    """Rows of a table (CSV) that must have some columns; it may have no rows.

    Raises
    ------
    InputError
        As :func:`networks.csv_rows.read_csv_rows`; CITY_COLUMNS where a column is missing.
    """
    header, rows = read_csv_rows(path)
    missing = [name for name in needed if name not in header]
    if missing:
        what = f"no column {', '.join(map(repr, missing))} among {', '.join(header) or 'none'}"
        raise InputError("CITY_COLUMNS", what, file=path, row=1, remedy=f"Give the columns {', '.join(needed)}")
    return rows
