"""Faults as people meet them: errors that end a command, notices that name a faulty record."""

from dataclasses import dataclass
from pathlib import Path


class BagdarError(Exception):
    """Base of every error this project raises on purpose.

    ``code`` is the stable name that scripts and tests rely on; the message says what, where, and what to do.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        file: str | Path | None = None,
        row: int | None = None,
        field: str | None = None,
        remedy: str = "",
    ) -> None:
        """Keep the parts, so that a caller can show them its own way."""
        self.code = code
        self.what = what
        self.file = None if file is None else str(file)
        self.row = row
        self.field = field
        self.remedy = remedy
        super().__init__(self._text())

    def _text(self) -> str:
        place = self.file or ""
        if self.row is not None:
            place += f" line {self.row}"
        if self.field is not None:
            place += f" [{self.field}]"
        text = f"{self.code}: {place.strip()}: {self.what}" if place else f"{self.code}: {self.what}"
        return f"{text}. {self.remedy}" if self.remedy else text

    def __reduce__(self) -> tuple[object, ...]:
        """Travel between processes whole: the default would call ``__init__`` with the text alone."""
        return _rebuild, (type(self), self.code, self.what, self.file, self.row, self.field, self.remedy)


def _rebuild(
    kind: type[BagdarError], code: str, what: str, file: str | None, row: int | None, field: str | None, remedy: str
) -> BagdarError:
    return kind(code, what, file=file, row=row, field=field, remedy=remedy)


class InputError(BagdarError, ValueError):
    """What was given cannot be used: a file, a value, a combination. Exit code 2."""


class RunError(BagdarError, RuntimeError):
    """What was started could not be finished. Exit code 1."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A fault in data that did not stop the work: what was found, where, and what can be done.

    ``row`` is the line of the file, counted from 1 with the header; ``count`` is how many records share the fault when
    they are reported together.
    """

    code: str
    severity: str
    file: str
    row: int | None
    field: str
    value: str
    remedy: str
    count: int = 1
