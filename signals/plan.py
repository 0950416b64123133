"""A signal's plan: the stages it may show, and everything needed to move between them safely.

A *stage* is a set of links that are green together. Stages come from the shipped program, so that whatever its designer
held compatible stays so; what the program shows in between (yellow, red) is worked out anew for every pair.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from networks.faults import InputError
from networks.network import Phase, Program, RoadNetwork
from signals.intergreen import (
    GREEN_LETTERS,
    GREEN_RANK,
    PROTECTED_LETTERS,
    STARTING_LETTERS,
    YELLOW_LETTERS,
    Clearance,
    LinkClearance,
    ite_clearance,
    minimum_green_s,
    shipped_clearance,
)
from signals.movement import Link, conflicts_known, foe_matrix, response_matrix, signal_links

DEFAULT_MAX_GREEN_S = 50.0
DEFAULT_YELLOW_S = 3.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A state in which traffic flows: one letter a link; shown how long at least and, when actuated, at most (s)."""

    state: str
    min_green_s: float
    max_green_s: float
    shipped_s: float

    @property
    def greens(self) -> frozenset[int]:
        """Links that are green, protected or permitted."""
        return green_links(self.state)


@dataclass(frozen=True, slots=True, eq=False)
class SignalPlan:
    """All that a controller and the interlock need to know of one signal.

    ``stages`` stand in the shipped order; ``foes`` and ``responses`` have shape (links, links). ``corrected_states``
    counts shipped states that gave protected green to foes and were made permitted for the one that must yield.
    ``clearance`` tells whose times ``clearances`` are.
    """

    signal_id: str
    links: tuple[Link, ...]
    stages: tuple[Stage, ...]
    clearances: tuple[LinkClearance, ...]
    foes: npt.NDArray[np.bool_]
    responses: npt.NDArray[np.bool_]
    corrected_states: int
    clearance: Clearance = Clearance.ITE

    @property
    def is_controllable(self) -> bool:
        """Whether there is a choice to make."""
        return len(self.stages) > 1

    def corrected(self, state: str) -> str:
        """A state with protected green made permitted where the link must yield to another protected one."""
        return without_protected_foes(state, self.foes, self.responses)


def build_plan(network: RoadNetwork, signal_id: str, clearance: Clearance) -> SignalPlan:
    """Make the plan of a signal from its shipped program.

    Raises
    ------
    InputError
        SIGNAL_UNKNOWN where the network has no such signal, SIGNAL_CONFLICTS where the network does not say which of
        its links are foes.
    """
    signal = network.signal_index.get(signal_id)
    if signal is None:
        raise InputError(
            "SIGNAL_UNKNOWN",
            f"the network has no signal {signal_id!r}",
            remedy="`bagdar network info NET --json` lists the signals",
        )
    programs = network.signals[signal].programs
    links = signal_links(network, signal)
    foes = foe_matrix(network, signal)
    responses = response_matrix(network, signal)
    corrected = 0
    stages: list[Stage] = []
    for phase in programs[-1].phases if programs else ():
        if not is_stage(phase.state):
            continue
        state = without_protected_foes(phase.state, foes, responses)
        corrected += state != phase.state
        green = tuple(links[bit] for bit, letter in enumerate(state) if letter in GREEN_LETTERS)
        least_s = _least_green_s(phase, green, clearance)
        most_s = max(phase.max_s or DEFAULT_MAX_GREEN_S, least_s)
        stages.append(Stage(state, least_s, most_s, phase.duration_s))
    if len(stages) > 1 and not conflicts_known(network, signal):
        raise InputError(
            "SIGNAL_CONFLICTS",
            f"the network does not tell which links of signal {signal_id!r} are in conflict",
            remedy="Build it with lanes inside junctions (netconvert without --no-internal-links)",
        )
    return SignalPlan(
        signal_id=signal_id,
        links=links,
        stages=without_dominated(stages),
        clearances=tuple(_clearance(programs, bit, link, clearance) for bit, link in enumerate(links)),
        foes=foes,
        responses=responses,
        corrected_states=corrected,
        clearance=clearance,
    )


def _least_green_s(phase: Phase, green: tuple[Link, ...], clearance: Clearance) -> float:
    """By speed and by what people need; what the program itself keeps where its own times hold and it states them."""
    if clearance is Clearance.AS_SHIPPED and phase.min_s is not None:
        return phase.min_s
    return minimum_green_s(green)


@lru_cache(maxsize=65536)
def green_links(state: str) -> frozenset[int]:
    """Links that are green in a state, protected or permitted."""
    return frozenset(bit for bit, letter in enumerate(state) if letter in GREEN_LETTERS)


def is_stage(state: str) -> bool:
    """Something is green and nothing is about to end or to start."""
    return bool(GREEN_LETTERS & set(state)) and not (YELLOW_LETTERS | STARTING_LETTERS) & set(state)


def without_dominated(stages: list[Stage]) -> tuple[Stage, ...]:
    """Drop stages that serve nothing that another does not serve at least as well, and repetitions."""
    return tuple(
        stage
        for number, stage in enumerate(stages)
        if not any(
            dominates(other.state, stage.state) and (position < number or not dominates(stage.state, other.state))
            for position, other in enumerate(stages)
            if position != number
        )
    )


def dominates(better: str, worse: str) -> bool:
    """Whether the first state serves every link at least as well as the second."""
    pairs = zip(better, worse, strict=True)
    return all(GREEN_RANK.get(a, 0) >= GREEN_RANK.get(b, 0) for a, b in pairs)


def without_protected_foes(state: str, foes: npt.NDArray[np.bool_], responses: npt.NDArray[np.bool_]) -> str:
    """Make a green permitted (``g``) where its link must yield to another protected one; ties go to the lower bit.

    Each pair of protected foes loses the green of one of the two, so none is left. A link that yields to one that
    yields itself becomes permitted as well: SUMO lets a permitted link yield only to those its request names.
    """
    letters = list(state)
    for a, b in protected_foes(state, foes):
        yielding = a if responses[a, b] and not responses[b, a] else b
        letters[yielding] = "g"
    return "".join(letters)


@lru_cache(maxsize=65536)
def conflicts_shown(plan: SignalPlan, state: str) -> int:
    """How many pairs of foes a state shows protected green at once."""
    return len(protected_foes(state, plan.foes))


def protected_foes(state: str, foes: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The conflict monitor: pairs of foes that a state shows protected green (``G``) at once. Empty is safe."""
    protected = np.array([letter in PROTECTED_LETTERS for letter in state])
    pairs = np.argwhere(np.triu(foes & protected[:, None] & protected[None, :]))
    return [(int(a), int(b)) for a, b in pairs]


def _clearance(programs: tuple[Program, ...], bit: int, link: Link, choice: Clearance) -> LinkClearance:
    shipped = shipped_clearance(programs[-1], bit, link) if programs else LinkClearance(0.0, 0.0)
    if choice is Clearance.AS_SHIPPED:
        fallback_s = DEFAULT_YELLOW_S if link.has_vehicles else 0.0
        return LinkClearance(shipped.yellow_s or fallback_s, shipped.all_red_s)
    formula = ite_clearance(link)
    return LinkClearance(max(formula.yellow_s, shipped.yellow_s), max(formula.all_red_s, shipped.all_red_s))
