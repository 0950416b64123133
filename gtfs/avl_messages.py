"""Messages of GTFS-Realtime in a file, a folder or a zip archive, in the order in which they were published."""

import math
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from gtfs.avl_batch import Batch, Tally, with_notices
from gtfs.realtime_positions import HEADER_BYTES, header_time_s, parse_positions, read_messages
from networks.faults import InputError
from networks.intake import open_bytes

MAX_MESSAGE_BYTES = 1 << 28
TABLE_ENDINGS = (".csv", ".csv.gz", ".txt", ".txt.gz", ".parquet")

Open = Callable[[str], IO[bytes]]
"""Opens the file of a name."""


def read_message_pings(path: Path) -> Iterator[Batch]:
    """Read one message.

    Raises
    ------
    InputError
        RT_PARSE with what it looks like instead; FILE_MISSING, ZIP_*.
    """
    tally = Tally()
    return with_notices(read_messages([(str(path), partial(message_bytes, path))], tally), tally)


def message_bytes(path: Path) -> bytes:
    """The bytes of a message's file, unpacked where its name ends in ``.gz``."""
    with open_bytes(path, MAX_MESSAGE_BYTES) as stream:
        return stream.read()


def read_folder_pings(folder: Path) -> Iterator[Batch]:
    """Read all messages of a folder; hidden files are left alone.

    Raises
    ------
    InputError
        RT_PARSE where no file is one; AVL_EMPTY for a folder without files.
    """
    names = [path.name for path in folder.iterdir() if path.is_file() and is_message(path.name)]
    return read_in_order(names, lambda name: open_bytes(folder / name, MAX_MESSAGE_BYTES), str(folder))


def message_members(archive: zipfile.ZipFile) -> list[str]:
    """Names of the members that can be messages or tables: no folders, no hidden files, none of a Mac's forks."""
    names = [item.filename for item in archive.infolist() if not item.is_dir()]
    return [name for name in names if is_message(PurePosixPath(name).name) and "__MACOSX" not in name]


def is_message(name: str) -> bool:
    """Whether a file can be meant as one: not hidden."""
    return not name.startswith(".")


def is_table(name: str) -> bool:
    """Whether a file's name is that of a table."""
    return name.lower().endswith(TABLE_ENDINGS)


def read_in_order(names: list[str], open_named: Open, source: str) -> Iterator[Batch]:
    """Read messages by their names, in the order of their headers' times; ``source`` holds them all.

    One that cannot be read is told in a notice.

    Raises
    ------
    InputError
        RT_PARSE where none can be read, AVL_EMPTY; see :func:`read_folder_pings`.
    """
    if not names:
        raise InputError("AVL_EMPTY", "there is no message in it", file=source, remedy="Give a folder with messages")
    tables = [name for name in names if is_table(name)]
    if tables:
        what = f"{tables[0]} is a table; a folder or an archive is read as messages of GTFS-Realtime"
        raise InputError("RT_PARSE", what, file=source, remedy="Name tables one by one")
    tally = Tally()
    ordered = sorted(names, key=lambda name: (_told_s(name, open_named, source), name))
    contents = ((f"{source}/{name}", partial(_whole, name, open_named)) for name in ordered)
    return with_notices(read_messages(contents, tally), tally)


def _whole(name: str, open_named: Open) -> bytes:
    with open_named(name) as stream:
        return stream.read()


def _told_s(name: str, open_named: Open, source: str) -> float:
    """The time of a message's header; those without one, or that cannot be read, come first."""
    try:
        with open_named(name) as stream:
            told_s = header_time_s(stream.read(HEADER_BYTES))
        if told_s is None:
            told_s = parse_positions(_whole(name, open_named), f"{source}/{name}").told_s
    except InputError:
        return -math.inf
    return -math.inf if math.isnan(told_s) else told_s
