"""Whole files or none: what is written appears under its final name only once it is complete and on disk."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from networks.faults import RunError


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; on success it takes the final name, on failure it is removed.

    The temporary name keeps all of the final name's suffixes, since writers choose a format by them.
    """
    final = Path(path)
    part: Path | None = None
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".part-", suffix=f"-{final.name}", dir=final.parent)
        os.close(handle)
        part = Path(name)
        yield part
        _sync(part)
        part.chmod(0o644)
        part.replace(final)
    except BaseException as fault:
        if part is not None:
            part.unlink(missing_ok=True)
        if not isinstance(fault, OSError):
            raise
        remedy = "Free space or choose another folder"
        raise RunError("WRITE_FAILED", f"{fault.strerror or fault}", file=final, remedy=remedy) from fault


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text as a whole file, with line ends of one kind everywhere."""
    with atomic_path(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
