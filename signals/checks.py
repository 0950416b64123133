"""What a network's own programs violate: the rules that the interlock keeps, held against each program as it stands.

Yellow and all-red by the formulas of :mod:`signals.intergreen`, foes with protected green by the conflict monitor of
:mod:`signals.plan`. People must be shown a walk (7 s), and after it, before anything that crosses their way starts,
what they need to finish. A program that lengthens its phases itself is judged by the least of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from networks.faults import Notice
from networks.network import Phase, Program, RoadNetwork
from signals.intergreen import (
    GREEN_LETTERS,
    WALK_S,
    YELLOW_LETTERS,
    ending_phases,
    ite_clearance,
    minimum_green_s,
    starting_links,
)
from signals.interlock import SAME_TIME_S
from signals.movement import BoolMatrix, Link, conflicts_known, foe_matrix, signal_links
from signals.plan import protected_foes
from signals.static import SELF_TIMED


@dataclass(frozen=True, slots=True)
class SignalNotice(Notice):
    """A fault of a signal's program. ``field`` tells where for people; the parts of it stand here for programs.

    ``link`` is a position in the state, ``phase`` one in the program; ``shown_s`` is what there is, ``needed_s`` what
    there must be (s).
    """

    signal_id: str = ""
    program: str = ""
    link: int | None = None
    phase: int | None = None
    shown_s: float | None = None
    needed_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    """A signal's program under check."""

    file: str
    signal_id: str
    program: Program
    links: tuple[Link, ...]
    foes: BoolMatrix

    def short(self, code: str, link: int, found: list[tuple[float, int]], needed_s: float, what: str) -> SignalNotice:
        """A notice of times too short, each with its phase: the shortest is told, the others counted."""
        shown_s, phase = min(found)
        return SignalNotice(
            code,
            "warning",
            self.file,
            None,
            f"link {link}, phase {phase}",
            f"{what} {shown_s:.3g} s",
            f"at least {needed_s:.1f} s",
            len(found),
            self.signal_id,
            self.program.program_id,
            link,
            phase,
            round(shown_s, 3),
            round(needed_s, 3),
        )


def check_network(network: RoadNetwork, file: str) -> tuple[SignalNotice, ...]:
    """What the programs of all signals violate, a notice for each rule and link; ``file`` is what they name."""
    return tuple(notice for signal in range(len(network.signals)) for notice in check_signal(network, signal, file))


def check_signal(network: RoadNetwork, signal: int, file: str) -> Iterator[SignalNotice]:
    """What the programs of one signal violate."""
    shipped = network.signals[signal]
    links, foes = signal_links(network, signal), foe_matrix(network, signal)
    if not conflicts_known(network, signal):
        remedy = "Build it with lanes inside junctions (netconvert without --no-internal-links)"
        value = "the network does not tell which links are foes: conflicts and all-red are not checked"
        yield SignalNotice(
            "SIGNAL_CONFLICTS", "warning", file, None, "all links", value, remedy, signal_id=shipped.signal_id
        )
    for program in shipped.programs:
        yield from _check_program(_Place(file, shipped.signal_id, program, links, foes))


def _check_program(place: _Place) -> Iterator[SignalNotice]:
    yield from _conflicts(place)
    for bit, link in enumerate(place.links):
        if link.is_used and place.program.phases:
            yield from _greens(place, bit, link)
            yield from _endings(place, bit, link)


def _conflicts(place: _Place) -> Iterator[SignalNotice]:
    """Foes with protected green at once, a notice a pair."""
    phases: dict[tuple[int, int], list[int]] = {}
    for number, phase in enumerate(place.program.phases):
        for pair in protected_foes(phase.state, place.foes):
            phases.setdefault(pair, []).append(number)
    for (a, b), numbers in phases.items():
        yield SignalNotice(
            "SIGNAL_GREEN_CONFLICT",
            "error",
            place.file,
            None,
            f"links {a} and {b}, phase {numbers[0]}",
            "both have protected green (G), and their ways cross or merge",
            "Let the one that must yield be permitted (g), or give them green in turn",
            len(numbers),
            place.signal_id,
            place.program.program_id,
            a,
            numbers[0],
        )


def _greens(place: _Place, bit: int, link: Link) -> Iterator[SignalNotice]:
    """Greens shorter than the least: for vehicles by their speed, for people a walk."""
    runs = _green_runs(place.program, bit)
    needed_s = minimum_green_s((link,)) if link.has_vehicles and not link.has_people else WALK_S
    short = [(shown_s, phase) for shown_s, phase in runs if shown_s < needed_s - SAME_TIME_S]
    if short:
        code, what = ("SIGNAL_WALK", "walk") if link.has_people else ("SIGNAL_MIN_GREEN", "green")
        yield place.short(code, bit, short, needed_s, what)


def _green_runs(program: Program, bit: int) -> list[tuple[float, int]]:
    """Each green of a link from its begin to its end, with the phase in which it begins; none where it never ends."""
    phases = program.phases
    runs = []
    for begin, phase in enumerate(phases):
        if phase.state[bit] in GREEN_LETTERS and phases[begin - 1].state[bit] not in GREEN_LETTERS:
            shown_s = 0.0
            for step in range(len(phases)):
                here = phases[(begin + step) % len(phases)]
                if here.state[bit] not in GREEN_LETTERS:
                    break
                shown_s += _least_s(program, here)
            runs.append((shown_s, begin))
    return runs


def _least_s(program: Program, phase: Phase) -> float:
    return phase.min_s if program.kind in SELF_TIMED and phase.min_s is not None else phase.duration_s


def _endings(place: _Place, bit: int, link: Link) -> Iterator[SignalNotice]:
    """Yellow too short after a green, and red too short before a foe starts."""
    needed = ite_clearance(link)
    yellow, red = [], []
    for phase in ending_phases(place.program, bit):
        yellow_s, foe_after_s = _ending(place, bit, phase)
        if yellow_s < needed.yellow_s - SAME_TIME_S:
            yellow.append((yellow_s, phase))
        if foe_after_s is not None and foe_after_s - yellow_s < needed.all_red_s - SAME_TIME_S:
            red.append((foe_after_s - yellow_s, phase))
    if yellow:
        yield place.short("SIGNAL_YELLOW", bit, yellow, needed.yellow_s, "yellow")
    if red:
        code, what = ("SIGNAL_WALK_CLEARANCE", "clearance") if link.has_people else ("SIGNAL_ALL_RED", "all-red")
        yield place.short(code, bit, red, needed.all_red_s, what)


def _ending(place: _Place, bit: int, start: int) -> tuple[float, float | None]:
    """Yellow after the end of a green, and the time from that end until a foe starts, None where none does (s)."""
    phases = place.program.phases
    yellow_s = passed_s = 0.0
    is_yellow = True
    for step in range(len(phases)):
        before, phase = phases[(start + step - 1) % len(phases)], phases[(start + step) % len(phases)]
        if np.any(place.foes[bit, starting_links(before.state, phase.state)]):
            return yellow_s, passed_s
        if phase.state[bit] in GREEN_LETTERS:
            break
        is_yellow = is_yellow and phase.state[bit] in YELLOW_LETTERS
        duration_s = _least_s(place.program, phase)
        yellow_s += duration_s if is_yellow else 0.0
        passed_s += duration_s
    return yellow_s, None
