"""Asking the controllers of many signals at once."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from signals.interlock import SignalState
from signals.observation import Look, Observation, observe


class Controller(Protocol):
    """Decides for one signal. ``wish`` is asked only when the stage shown has had its minimum green."""

    def wish(self, seen: Observation) -> int:
        """Stage wanted from now on; the present one to stay."""


class Team(Protocol):
    """Decides for all signals that may decide now."""

    def wishes(self, asked: Sequence[int], states: Sequence[SignalState], look: Look) -> Sequence[int]:
        """Stages wanted by the signals of these numbers, which are in these states."""


TeamOf = Callable[[Sequence[Any], Sequence[slice]], Team]
"""Puts controllers of one kind together, each with the rows of its signal's links among those of a look."""


class OneByOne:
    """Shows each controller its own part of a look."""

    def __init__(self, controllers: Sequence[Controller], rows: Sequence[slice]) -> None:
        """``rows`` are the links of each one's signal among those of a look."""
        self._controllers = controllers
        self._rows = rows

    def wishes(self, asked: Sequence[int], states: Sequence[SignalState], look: Look) -> Sequence[int]:
        """Ask each."""
        return [
            self._controllers[number].wish(observe(look, self._rows[number], state.stage, look.time_s - state.since_s))
            for number, state in zip(asked, states, strict=True)
        ]
