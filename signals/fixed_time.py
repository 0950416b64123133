"""A fixed program asked as a controller, so that priority by rules can act on it.

Its clock runs on whatever priority does: a green that began late or early ends when the program has it end, so the
signal is back in step, and so coordinated, after the stages that follow. Each of them keeps its minimum green.
"""

from dataclasses import dataclass
from itertools import accumulate

from networks.faults import InputError
from networks.network import Program
from signals.observation import Observation
from signals.plan import SignalPlan, dominates, is_stage
from signals.static import SELF_TIMED


@dataclass(frozen=True, slots=True)
class _Turn:
    """A stage in the program's cycle, and when its green ends there (s)."""

    stage: int
    end_s: float


class FixedTime:
    """One signal that follows a program."""

    def __init__(self, plan: SignalPlan, program: Program) -> None:
        """Find the plan's stages in the program.

        Raises
        ------
        InputError
            CONFIG_VALUE where SUMO lengthens the program's phases by itself.
        """
        if program.kind in SELF_TIMED:
            what = f"the program of signal {plan.signal_id!r} is lengthened by SUMO itself, so rules cannot follow it"
            raise InputError("CONFIG_VALUE", what, field="priority", remedy='Use controller = "actuated"')
        self._turns = _turns(plan, program)
        self._cycle_s = sum(phase.duration_s for phase in program.phases)
        self._offset_s = program.offset_s
        self._at: int | None = None
        self._end_s = 0.0

    def wish(self, seen: Observation) -> int:
        """The stage of the program's clock; where a green was cut or held, the next one in order."""
        at = self._place(seen)
        return self._turns[at].stage if seen.time_s < self._end_s else self._turns[self._after(at)].stage

    def following(self, seen: Observation) -> int:
        """The stage that comes after the present one."""
        at = self._place(seen)
        return self._turns[self._after(at)].stage

    def _place(self, seen: Observation) -> int:
        """Where in the cycle the signal is: the next place once that is shown."""
        if self._at is None:
            self._at, self._end_s = self._by_clock(seen.time_s)
        following = self._after(self._at)
        if seen.stage == self._turns[following].stage:
            ends = self._turns[following].end_s - self._turns[self._at].end_s
            self._end_s += ends % self._cycle_s
            self._at = following
            # who was held for more than a cycle does not run through it all again
            self._end_s += max((seen.time_s - self._end_s) // self._cycle_s, 0.0) * self._cycle_s
        return self._at

    def _by_clock(self, now_s: float) -> tuple[int, float]:
        """Which green the clock is in or comes to, and when that ends."""
        second = (now_s - self._offset_s) % self._cycle_s
        ahead_s = [(turn.end_s - second) % self._cycle_s or self._cycle_s for turn in self._turns]
        place = min(range(len(ahead_s)), key=ahead_s.__getitem__)
        return place, now_s + ahead_s[place]

    def _after(self, place: int) -> int:
        return (place + 1) % len(self._turns)


def _turns(plan: SignalPlan, program: Program) -> list[_Turn]:
    """The program's greens in order. What is still green of one while others of it clear is part of its end."""
    ends_s = accumulate(phase.duration_s for phase in program.phases)
    turns: list[_Turn] = []
    for end_s, phase in zip(ends_s, program.phases, strict=True):
        state = plan.corrected(phase.state)
        if not is_stage(state):
            continue
        stage = _stage_of(plan, state)
        goes_on = bool(turns) and turns[-1].stage == stage
        if goes_on and plan.stages[stage].state != state:
            continue
        turns = turns[:-1] if goes_on else turns
        turns.append(_Turn(stage, end_s))
    return turns[:-1] if len(turns) > 1 and turns[-1].stage == turns[0].stage else turns


def _stage_of(plan: SignalPlan, state: str) -> int:
    """The stage that a state is, or that serves all it serves; the plan has one for each that the program shows."""
    same = [number for number, stage in enumerate(plan.stages) if stage.state == state]
    return same[0] if same else next(n for n, stage in enumerate(plan.stages) if dominates(stage.state, state))
