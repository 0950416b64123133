"""Vehicle positions from files of any kind: the one door through which they come in."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from gtfs.avl_batch import Batch
from gtfs.avl_columns import ColumnMap
from gtfs.avl_csv import open_csv_pings, read_csv_pings
from gtfs.avl_messages import is_table, message_members, read_folder_pings, read_in_order, read_message_pings
from gtfs.avl_parquet import read_parquet_pings
from networks.intake import open_bytes, open_zip, require_file

PARQUET = b"PAR1"
MESSAGE_STARTS = (b"\x0a", b"\x12")
"""A message begins with its header or, seldom, with an entity."""
MESSAGE_ENDINGS = (".pb", ".pbf", ".proto", ".protobuf", ".bin", ".dat")

MAX_MESSAGES = 150_000
"""Members of an archive: a week of messages every five seconds."""


def read_pings(
    paths: Iterable[str | Path], columns: ColumnMap | None = None, timezone: str | None = None
) -> Iterator[Batch]:
    """Read positions from files in the given order, a batch at a time.

    A path is a GTFS-Realtime message, a folder or a zip archive of them, a CSV table (also as ``.gz`` or alone in a
    ``.zip``) or a Parquet file. Memory does not grow with their length.

    Parameters
    ----------
    columns
        What the columns of tables mean; None: they are TIDES ``vehicle_locations``.
    timezone
        Zone of times that are written without one, where ``columns`` tells none.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*; RT_PARSE (no VehiclePositions); AVL_FILE (no sound Parquet), AVL_COLUMN (a column is
        missing, or there is no map), AVL_EMPTY, AVL_TIMEZONE; CSV_ENCODING, CSV_ROW.
    """
    for path in paths:
        yield from _read(Path(path), columns, timezone)


def _read(path: Path, columns: ColumnMap | None, timezone: str | None) -> Iterator[Batch]:
    if path.is_dir():
        return read_folder_pings(path)
    kind = _kind(require_file(path))
    if kind == "zip":
        return _read_zip(path, columns, timezone)
    if kind == "message":
        return read_message_pings(path)
    if kind == "parquet":
        return read_parquet_pings(path, columns, timezone)
    return open_csv_pings(path, columns, timezone)


def _read_zip(path: Path, columns: ColumnMap | None, timezone: str | None) -> Iterator[Batch]:
    with open_zip(path, limit_members=MAX_MESSAGES) as archive:
        members = message_members(archive)
        if len(members) == 1 and is_table(members[0]):
            with archive.open(members[0]) as stream:
                yield from read_csv_pings(stream, str(path), columns, timezone)
        else:
            yield from read_in_order(members, archive.open, str(path))


def _kind(path: Path) -> str:
    """What a file is, by its name's ending, else by its first bytes."""
    name = path.name.lower()
    if name.endswith((".zip", ".parquet")):
        return name.rpartition(".")[2]
    if is_table(name):
        return "csv"
    return "message" if name.removesuffix(".gz").endswith(MESSAGE_ENDINGS) else _by_content(path)


def _by_content(path: Path) -> str:
    with open_bytes(path) as stream:
        start = stream.read(len(PARQUET))
    if start == PARQUET:
        return "parquet"
    return "message" if not start or start.startswith(MESSAGE_STARTS) else "csv"
