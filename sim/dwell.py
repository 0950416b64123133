"""How long a vehicle stands at a stop: a documented default, or by the passengers who board there.

Transit Capacity and Quality of Service Manual, 3rd edition (TCRP Report 165, 2013), chapter 6: passengers board one
after another, and doors take their time to open and close.
"""

from dataclasses import dataclass

DEFAULT_S = 15.0
"""Dwell at a typical outlying stop (TCQSM, 3rd edition, chapter 6)."""

DOORS_S = 4.0
"""Doors opening and closing."""

BOARDING_S = 2.75
"""Time a passenger takes to board who pays with a card (same, service times per passenger)."""


@dataclass(frozen=True, slots=True)
class DwellLaw:
    """Time at stops (s): ``default_s`` where ridership is not known, else the doors' and each passenger's."""

    default_s: float = DEFAULT_S
    doors_s: float = DOORS_S
    boarding_s: float = BOARDING_S

    def dwell_s(self, boardings: float | None) -> float:
        """Dwell at a stop where so many passengers board a vehicle, None where that is not known."""
        return self.default_s if boardings is None else self.doors_s + self.boarding_s * boardings
