"""What a signal showed over a time, whoever decided it: shares of green, cycles, reds."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from signals.intergreen import GREEN_LETTERS, PROTECTED_LETTERS, YELLOW_LETTERS


class Aspect(IntEnum):
    """What a movement sees; of its links, the one that lets it drive soonest counts."""

    RED = 0
    YELLOW = 1
    PERMITTED = 2
    PROTECTED = 3

    @property
    def is_green(self) -> bool:
        """Whether vehicles may drive."""
        return self >= Aspect.PERMITTED


@dataclass(frozen=True, slots=True)
class SignalHistory:
    """States that a signal showed, each from its begin (s) to the next one's, the last to ``end_s``."""

    signal_id: str
    begins_s: tuple[float, ...]
    states: tuple[str, ...]
    end_s: float


@dataclass(frozen=True, slots=True)
class Span:
    """A time (s) over which a movement saw the same."""

    aspect: Aspect
    begin_s: float
    end_s: float


def aspect(state: str, links: tuple[int, ...]) -> Aspect:
    """What a movement with these links sees in a state."""
    letters = {state[link] for link in links}
    if letters & PROTECTED_LETTERS:
        return Aspect.PROTECTED
    if letters & GREEN_LETTERS:
        return Aspect.PERMITTED
    return Aspect.YELLOW if letters & YELLOW_LETTERS else Aspect.RED


def spans(history: SignalHistory, links: tuple[int, ...]) -> tuple[Span, ...]:
    """What a movement saw, in turn; equal neighbours are one."""
    known = {state: aspect(state, links) for state in set(history.states)}
    seen = [known[state] for state in history.states]
    changes = [number for number in range(len(seen)) if not number or seen[number] is not seen[number - 1]]
    begins_s = [history.begins_s[number] for number in changes]
    ends_s = [*begins_s[1:], history.end_s]
    return tuple(
        Span(seen[number], begin_s, end_s)
        for number, begin_s, end_s in zip(changes, begins_s, ends_s, strict=True)
        if end_s > begin_s
    )


def shares(seen: Sequence[Span]) -> dict[Aspect, float]:
    """Part of the time in which a movement saw each aspect; NaN over no time."""
    lasted_s = dict.fromkeys(Aspect, 0.0)
    for span in seen:
        lasted_s[span.aspect] += span.end_s - span.begin_s
    total_s = sum(lasted_s.values())
    return {kind: time_s / total_s if total_s else math.nan for kind, time_s in lasted_s.items()}


def green_begins_s(seen: Sequence[Span]) -> tuple[float, ...]:
    """Times at which green began; one that was there from the start has no begin."""
    green = {Aspect.PERMITTED, Aspect.PROTECTED}
    return tuple(
        after.begin_s for before, after in pairwise(seen) if after.aspect in green and before.aspect not in green
    )


def cycles_s(seen: Sequence[Span]) -> tuple[float, ...]:
    """Times from one begin of green to the next (s): the cycles, also of a signal that has no fixed one."""
    return tuple(after_s - before_s for before_s, after_s in pairwise(green_begins_s(seen)))


def reds_s(seen: Sequence[Span]) -> tuple[tuple[float, float], ...]:
    """Times without green, yellow included: begin and end (s) of each."""
    found: list[tuple[float, float]] = []
    for span in seen:
        if span.aspect.is_green:
            continue
        if found and found[-1][1] == span.begin_s:
            found[-1] = found[-1][0], span.end_s
        else:
            found.append((span.begin_s, span.end_s))
    return tuple(found)


def stage_begins(history: SignalHistory, links: Collection[int]) -> int:
    """How often at least one of some links turned green."""
    return sum(
        any(after[link] in GREEN_LETTERS and before[link] not in GREEN_LETTERS for link in links)
        for before, after in pairwise(history.states)
    )


def lost_share(history: SignalHistory, links: Collection[int]) -> float:
    """Part of the time lost to changes: some of these links show yellow, or none is green; NaN over no time."""
    ends_s = (*history.begins_s[1:], history.end_s)
    lost_s = total_s = 0.0
    for state, begin_s, end_s in zip(history.states, history.begins_s, ends_s, strict=True):
        letters = {state[link] for link in links}
        total_s += end_s - begin_s
        lost_s += (end_s - begin_s) * bool(letters & YELLOW_LETTERS or not letters & GREEN_LETTERS)
    return lost_s / total_s if total_s else math.nan
