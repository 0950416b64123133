"""What a stop offers those who wait there: five features, each known or not.

The five are those by which a stop is called smart where a city is scored (:data:`FEATURES`). What a table does not tell
is unknown, and never taken for missing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from networks.csv_rows import Row, read_csv_rows
from networks.faults import InputError, Notice

FEATURES = ("air_conditioned", "enclosed", "wifi", "charging_point", "information_board")
WORDS = {"yes": True, "no": False, "": None}
COLUMNS = f"Give the column stop_id and some of {', '.join(FEATURES)}, each yes, no or empty for unknown"


@dataclass(frozen=True, slots=True)
class StopAmenities:
    """Features of a stop: there (True), not there (False), or unknown (None); ``line`` is where it stands in the file.

    ``charging_point`` is one for the devices of those who wait.
    """

    stop_id: str
    line: int
    air_conditioned: bool | None = None
    enclosed: bool | None = None
    wifi: bool | None = None
    charging_point: bool | None = None
    information_board: bool | None = None

    def has_all(self, features: Sequence[str] = FEATURES) -> bool | None:
        """Whether all of some features are there: False where one is known to be missing, None where one is unknown."""
        found = [getattr(self, name) for name in features]
        if False in found:
            return False
        return None if None in found else True


@dataclass(frozen=True, slots=True)
class AmenityTable:
    """Stops of a file by their id, in its order, and what was wrong with it."""

    file: str
    stops: Mapping[str, StopAmenities]
    notices: tuple[Notice, ...]

    def of(self, stop_id: str) -> StopAmenities:
        """Features of a stop; all unknown where the file does not have it."""
        return self.stops.get(stop_id, StopAmenities(stop_id, 0))

    def strangers(self, stop_ids: Collection[str]) -> tuple[Notice, ...]:
        """A notice on stops of the file that are none of some stops."""
        lost = [stop for name, stop in self.stops.items() if name not in stop_ids]
        if not lost:
            return ()
        remedy = "Use the stop_id of the feed; rows of other stops are left out"
        first = lost[0]
        return (Notice("AMENITY_STOP", "warning", self.file, first.line, "stop_id", first.stop_id, remedy, len(lost)),)


def read_amenities(path: str | Path) -> AmenityTable:
    """Read a table of stops (CSV, UTF-8): ``stop_id`` and features, each ``yes``, ``no`` or empty for unknown.

    A column that is left out is unknown at every stop. A word that is neither is noted and unknown; of a stop that
    stands twice the first row counts.

    Raises
    ------
    InputError
        FILE_MISSING, ZIP_*, CSV_ENCODING, CSV_ROW; AMENITY_COLUMNS without ``stop_id`` or without any feature.
    """
    header, rows = read_csv_rows(path)
    if "stop_id" not in header or not set(FEATURES) & set(header):
        raise InputError("AMENITY_COLUMNS", f"found {', '.join(header) or 'none'}", file=path, row=1, remedy=COLUMNS)
    stops: dict[str, StopAmenities] = {}
    notices: list[Notice] = []
    for line, row in rows:
        if not row["stop_id"] or row["stop_id"] in stops:
            code, what = ("AMENITY_TWICE", "The first row counts") if row["stop_id"] else ("AMENITY_NO_STOP", "Name it")
            notices.append(Notice(code, "warning", str(path), line, "stop_id", row["stop_id"], what))
            continue
        stops[row["stop_id"]] = _stop(row, line, str(path), notices)
    return AmenityTable(str(path), stops, tuple(notices))


def _stop(row: Row, line: int, file: str, notices: list[Notice]) -> StopAmenities:
    found: dict[str, bool | None] = {}
    for name in FEATURES:
        word = row.get(name, "")
        found[name] = WORDS.get(word.lower())
        if word.lower() not in WORDS:
            remedy = "Write yes, no, or nothing; it is taken as unknown"
            notices.append(Notice("AMENITY_VALUE", "warning", file, line, name, word, remedy))
    return StopAmenities(row["stop_id"], line, **found)
