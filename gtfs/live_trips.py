"""Trips that may still go on, in rows that kernels keep their memory in; those of finished trips are used again.

So memory hangs on how many vehicles there are and not on how long they are watched. When a trip is over, follows from
its vehicle's own pings alone: it can be meant no more, and the vehicle has gone on to another.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gtfs.live_kernels import FREE, NONE, TOLD, USED, Roster, Served, find_rows
from gtfs.performed_trips import PerformedTrips
from gtfs.trace_state import blank_roster, with_room
from networks.network import FloatArray, IntArray

Integers = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Rows of the trips that pings are of, NONE where none is known; of those that began; of those that are over."""

    row: Integers
    begun: Integers
    over: Integers


@dataclass(slots=True, eq=False)
class LiveTrips:
    """Rows of trips by vehicle, trip and day.

    ``latest`` and ``counts`` are those of :func:`gtfs.live_kernels.find_rows`;
    ``_over`` are rows that are free as soon as nobody asks for them any more.
    """

    end_s: FloatArray
    roster: Roster = field(default_factory=lambda: blank_roster(0))
    latest: IntArray = field(default_factory=lambda: np.empty((0, 2), np.int32))
    counts: IntArray = field(default_factory=lambda: np.zeros(3, np.int32))
    _over: IntArray = field(default_factory=lambda: np.empty(0, np.int32))

    @property
    def count(self) -> int:
        """Count of all trips so far."""
        return int(self.counts[TOLD])

    @property
    def rows(self) -> int:
        """Room for trips."""
        return len(self.roster.number)

    def live(self) -> IntArray:
        """Rows that are in use."""
        return np.flatnonzero(self.roster.number >= 0).astype(np.int32)

    def every(self) -> PerformedTrips:
        """The trips of all rows; those of rows that are free mean nothing."""
        return self.at(np.arange(self.rows, dtype=np.int32))

    def at(self, rows: Integers) -> PerformedTrips:
        """The trips of rows."""
        one = self.roster
        return PerformedTrips(one.vehicle[rows], one.trip[rows], one.day[rows], one.evidence[rows])

    def rows_of(self, number: Integers) -> IntArray:
        """Rows of the trips with numbers, NONE where they are used by others by now."""
        live = self.live()
        order = live[np.argsort(self.roster.number[live])]
        place = np.minimum(np.searchsorted(self.roster.number[order], number), max(len(order) - 1, 0))
        if not len(order):
            return np.full(len(number), NONE, np.int32)
        return np.where(self.roster.number[order[place]] == number, order[place], NONE).astype(np.int32)

    def find(self, served: Served, vehicles: int) -> Found:
        """Rows of the trips that pings serve; those that were over with the pings before are free now."""
        self.free()
        if vehicles > len(self.latest):
            more = max(vehicles, 2 * len(self.latest)) - len(self.latest)
            self.latest = np.concatenate((self.latest, np.full((more, 2), NONE, np.int32)))
        begins = _changes(served)
        self.roster = with_room(self.roster, int(self.counts[USED]) + begins, blank_roster)
        row = np.empty(len(served.trip), np.int32)
        begun, over = np.empty(begins, np.int32), np.empty(self.rows + begins, np.int32)
        counted = find_rows(served, self.end_s, self.roster, self.latest, self.counts, row, begun, over)
        self._over = over[: counted[1]].copy()
        return Found(row, begun[: counted[0]], self._over)

    def free(self) -> None:
        """Let rows of trips that are over be used again."""
        many = len(self._over)
        self.roster.number[self._over] = NONE
        self.roster.free[self.counts[FREE] : self.counts[FREE] + many] = self._over
        self.counts[FREE] += many
        self._over = np.empty(0, np.int32)


def _changes(served: Served) -> int:
    """How often pings go to another trip."""
    trip, day, vehicle = served.trip, served.day, served.vehicle
    if not len(trip):
        return 0
    changes = (trip[1:] != trip[:-1]) | (day[1:] != day[:-1]) | (vehicle[1:] != vehicle[:-1])
    return int(np.count_nonzero(changes)) + 1
