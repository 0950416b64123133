"""Vehicle positions from the arrays of a table, whatever it was read from, through a map of its columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa

from gtfs.avl_batch import Batch, Sightings, Tally
from gtfs.avl_columns import NUMBERS, TEXTS, ColumnMap
from gtfs.avl_ranges import checked
from gtfs.avl_times import service_dates, service_times, start_times, times
from gtfs.avl_values import Flags, is_text, labels, numbers, says_something
from gtfs.pings import Labels, Pings, no_labels
from networks.faults import InputError
from networks.network import FloatArray

Column = TypeVar("Column")
Arrays = Mapping[str, pa.Array]
"""Columns by the words of TIDES, all of one length."""


@dataclass(frozen=True, slots=True, eq=False)
class TableReader:
    """What all batches of a file share."""

    columns: ColumnMap
    file: str
    timezone: str | None
    tally: Tally

    def batch(self, arrays: Arrays, place: Callable[[int], int], written: Callable[[str, int], str]) -> Batch:
        """The checked pings of a piece of the file, from its arrays by the words of TIDES."""
        illegible: dict[str, Flags] = {}
        pings, told_s = self._pings(arrays, illegible)
        time_word = "service_seconds" if "service_seconds" in arrays else "event_timestamp"
        words = {word: word for word in arrays} | {"event_timestamp": time_word}
        sightings = Sightings(
            pings,
            told_s,
            place=lambda row: (self.file, place(row)),
            written=lambda word, row: written(words.get(word, word), row),
            fields={word: self.columns.columns[name] for word, name in words.items()},
            illegible=illegible,
        )
        return checked(sightings, self.tally)

    def _pings(self, arrays: Arrays, illegible: dict[str, Flags]) -> tuple[Pings, FloatArray]:
        count = len(arrays["latitude"])
        texts = {word: self._labels(arrays, word, count) for word in TEXTS}
        values = {word: self._numbers(arrays, word, count, illegible) for word in NUMBERS}
        texts["service_date"], illegible["service_date"] = service_dates(
            texts["service_date"], self.columns.date_format
        )
        texts["trip_start_time"], illegible["trip_start_time"] = start_times(texts["trip_start_time"])
        pings = Pings(
            time_s=self._times(arrays, texts["service_date"], values["service_seconds"], illegible),
            vehicle=texts["vehicle_id"],
            trip=texts["trip_id_performed"],
            route=texts["route_id"],
            block=texts["block_id"],
            start_date=texts["service_date"],
            start_time=texts["trip_start_time"],
            lat=values["latitude"],
            lon=values["longitude"],
            heading_deg=values["heading"],
            speed_mps=values["speed"] * self.columns.speed_mps,
            odometer_m=values["odometer"] * self.columns.odometer_m,
        )
        return pings, self._moments(arrays, "feed_timestamp", count, illegible)

    def _labels(self, arrays: Arrays, word: str, count: int) -> Labels:
        return self._read(word, arrays, labels) if word in arrays else no_labels(count)

    def _numbers(self, arrays: Arrays, word: str, count: int, illegible: dict[str, Flags]) -> FloatArray:
        if word not in arrays:
            return np.full(count, np.nan)
        values, wrong = self._read(word, arrays, numbers)
        if wrong is not None and wrong.any():
            illegible[word] = wrong
        return values

    def _times(self, arrays: Arrays, days: Labels, seconds: FloatArray, illegible: dict[str, Flags]) -> FloatArray:
        if "service_seconds" in arrays and self.columns.timezone is not None:
            return service_times(days, seconds, self.columns.timezone)
        return self._moments(arrays, "event_timestamp", len(seconds), illegible)

    def _moments(self, arrays: Arrays, word: str, count: int, illegible: dict[str, Flags]) -> FloatArray:
        if word not in arrays:
            return np.full(count, np.nan)
        written, timezone = self.columns.time_format, self.columns.timezone or self.timezone
        moments = self._read(word, arrays, lambda column: times(column, written, timezone))
        lost = np.isnan(moments)
        if lost.any() and is_text(arrays[word].type):
            illegible[word] = lost & says_something(arrays[word])
        return moments

    def _read(self, word: str, arrays: Arrays, read: Callable[[pa.Array], Column]) -> Column:
        """What is made of a column; a fault of it names the file and the column."""
        try:
            return read(arrays[word])
        except InputError as fault:
            field = self.columns.columns[word]
            raise InputError(fault.code, fault.what, file=self.file, field=field, remedy=fault.remedy) from fault
