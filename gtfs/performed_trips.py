"""Trips that were performed: which vehicle drove which trip of the timetable on which service day, and by what."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gtfs.trip_claims import Evidence
from networks.network import IntArray

Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class PerformedTrip:
    """A vehicle on a trip of a service day: row of the timetable's trip, day since 1970-01-01, how it was found."""

    vehicle: int
    trip: int
    day: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class PerformedTrips:
    """Performed trips as columns, shape (trips,) each; a row is a :class:`PerformedTrip`."""

    vehicle: IntArray
    trip: IntArray
    day: IntArray
    evidence: npt.NDArray[np.int8]

    def __len__(self) -> int:
        """Count of trips."""
        return len(self.trip)

    def __getitem__(self, row: int) -> PerformedTrip:
        """One of them."""
        return PerformedTrip(
            int(self.vehicle[row]), int(self.trip[row]), int(self.day[row]), Evidence(int(self.evidence[row]))
        )

    def __iter__(self) -> Iterator[PerformedTrip]:
        """One after the other."""
        return (self[row] for row in range(len(self)))

    def take(self, rows: Integers) -> "PerformedTrips":
        """Some of them, in the order of the rows."""
        return PerformedTrips(self.vehicle[rows], self.trip[rows], self.day[rows], self.evidence[rows])


def performed_trips(rows: Iterable[PerformedTrip]) -> PerformedTrips:
    """Put single trips into columns."""
    parts = [(one.vehicle, one.trip, one.day, int(one.evidence)) for one in rows]
    vehicle, trip, day, evidence = np.array(parts, dtype=np.int32).reshape(-1, 4).T
    return PerformedTrips(vehicle, trip, day, evidence.astype(np.int8))


def joined_trips(parts: Iterable[PerformedTrips]) -> PerformedTrips:
    """Trips of several, one after the other."""
    every = [performed_trips(()), *parts]
    vehicle, trip, day, evidence = (
        np.concatenate([getattr(part, name) for part in every]) for name in PerformedTrips.__slots__
    )
    return PerformedTrips(vehicle, trip, day, evidence)
