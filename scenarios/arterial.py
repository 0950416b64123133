"""The arterial of a study: the chain of measured signals that most vehicles drive through one after another."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.movements import Movement
from sim.passages import Passages

FARTHEST_M = 1500.0
"""Signals farther apart belong to no arterial."""

LEAST_SHARE = 0.35
"""A chain goes on as long as this share of the stream that it began with does."""

THROUGH = ("through", "half left", "half right")


@dataclass(frozen=True, slots=True)
class Arterial:
    """Movements at two or more signals in turn, and where their stop lines lie from the first one (m).

    ``streams`` are the vehicles seen to go from each to the next.
    """

    movements: tuple[int, ...]
    stop_line_m: tuple[float, ...]
    streams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Stream:
    vehicles: int
    apart_m: float


def find_arterial(movements: Sequence[Movement], passages: Passages) -> Arterial | None:
    """The chain with the largest sum of streams between its signals, from passages of one run; None without any.

    Streams of through movements are looked at first; where there are none, those that turn count as well.
    """
    streams = _streams(passages)
    through = {
        (a, b): stream
        for (a, b), stream in streams.items()
        if all(movements[end].turn.startswith(THROUGH) for end in (a, b))
    }
    return _best(movements, through) or _best(movements, streams)


def _streams(passages: Passages) -> dict[tuple[int, int], _Stream]:
    """Vehicles that came from one movement straight to another, and the way between their stop lines (median, m)."""
    order = np.lexsort((passages.enter_s, passages.vehicle))
    vehicle, movement, place_m = (
        column[order] for column in (passages.vehicle, passages.movement, passages.stop_line_m)
    )
    apart_m: dict[tuple[int, int], list[float]] = defaultdict(list)
    for row in np.flatnonzero(vehicle[1:] == vehicle[:-1]).tolist():
        apart_m[int(movement[row]), int(movement[row + 1])].append(float(place_m[row + 1] - place_m[row]))
    found = {pair: _Stream(len(ways), float(np.median(ways))) for pair, ways in apart_m.items()}
    return {pair: stream for pair, stream in sorted(found.items()) if 0 < stream.apart_m <= FARTHEST_M}


def _best(movements: Sequence[Movement], streams: Mapping[tuple[int, int], _Stream]) -> Arterial | None:
    """Grow a chain from each stream by the strongest one that goes on, at its end and at its begin."""
    chains = [
        _grown(movements, streams, pair) for pair in streams if len({movements[end].signal_id for end in pair}) > 1
    ]
    if not chains:
        return None
    return max(chains, key=lambda chain: (sum(chain.streams), [-number for number in chain.movements]))


def _grown(
    movements: Sequence[Movement], streams: Mapping[tuple[int, int], _Stream], pair: tuple[int, int]
) -> Arterial:
    chain, least = list(pair), LEAST_SHARE * streams[pair].vehicles
    while True:
        passed = Counter(movements[number].signal_id for number in chain)
        onward = _strongest([(b, a, b) for a, b in streams if a == chain[-1]], movements, streams, passed, least)
        back = _strongest([(a, a, b) for a, b in streams if b == chain[0]], movements, streams, passed, least)
        if onward is None and back is None:
            break
        chain = [*([back] if back is not None else []), *chain, *([onward] if onward is not None else [])]
        if len({movements[number].signal_id for number in chain}) < len(chain):
            chain.pop()  # both ends met at one signal
            break
    links = [streams[link] for link in pairwise(chain)]
    place_m = [0.0, *np.cumsum([link.apart_m for link in links]).tolist()]
    return Arterial(tuple(chain), tuple(place_m), tuple(link.vehicles for link in links))


def _strongest(
    found: Sequence[tuple[int, int, int]],
    movements: Sequence[Movement],
    streams: Mapping[tuple[int, int], _Stream],
    passed: Mapping[str, int],
    least: float,
) -> int | None:
    """Of the movements that a chain may take up (with the stream that leads there), the one most vehicles come to."""
    free = [
        (streams[a, b].vehicles, -taken)
        for taken, a, b in found
        if not passed[movements[taken].signal_id] and streams[a, b].vehicles >= least
    ]
    return -max(free)[1] if free else None
