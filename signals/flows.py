"""How much traffic wants each way through the signals, and how it comes from one signal to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MovementFlow:
    """Vehicles (1/h) that go from one street into another under a signal; any of ``links`` lets them."""

    signal_id: str
    links: tuple[int, ...]
    vehicles_per_hour: float


@dataclass(frozen=True, slots=True)
class Stream:
    """Vehicles (1/h) of movement ``before`` that come to ``after`` next, on free streets ``travel_s`` later.

    Both are positions in :attr:`SignalFlows.movements`.
    """

    before: int
    after: int
    vehicles_per_hour: float
    travel_s: float


@dataclass(frozen=True, slots=True)
class SignalFlows:
    """Traffic at all signals in the demand's busiest hour, or in all of it where it is shorter.

    ``begin_s`` and ``end_s`` bound that time by departures; ``unplaced`` counts vehicles in it whose way is not known.
    ``queue_lanes`` leads from lanes at stop lines that are too short for a queue to the lane upstream where it stands.
    """

    movements: tuple[MovementFlow, ...]
    streams: tuple[Stream, ...]
    begin_s: float
    end_s: float
    unplaced: float = 0.0
    queue_lanes: Mapping[int, int] = field(default_factory=dict)
