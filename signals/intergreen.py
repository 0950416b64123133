"""How long yellow, all-red and green must last: the formulas, and the times that a shipped program already keeps.

Sources: Institute of Transportation Engineers, *Guidelines for Determining Traffic Signal Change and Clearance
Intervals* (2020), kinematic equations; Manual on Uniform Traffic Control Devices (2009), 4D.26 (3 to 6 s of yellow) and
4E.06 (walk interval); Federal Highway Administration, *Signal Timing Manual* (2nd ed.), tables 5-3 and 5-9.
"""

from dataclasses import dataclass
from enum import StrEnum

from networks.network import Program
from signals.movement import Link

REACTION_TIME_S = 1.0
DECELERATION_MPS2 = 3.05
GRAVITY_MPS2 = 9.81
VEHICLE_LENGTH_M = 6.1
YELLOW_BOUNDS_S = (3.0, 6.0)
MAX_ALL_RED_S = 6.0
WALK_S = 7.0
WALKING_SPEED_MPS = 1.07
MINIMUM_GREEN_BY_SPEED_S = ((11.2, 5.0), (15.3, 7.0), (20.9, 10.0))
"""Up to a speed limit (m/s; 40, 55 and 75 km/h): the least green (s). Above the last one FASTEST_MINIMUM_GREEN_S."""
FASTEST_MINIMUM_GREEN_S = 15.0

GREEN_RANK = {"g": 1, "o": 1, "G": 2, "O": 2}
"""What lets vehicles drive on. Permitted green yields to foes, protected green does not; a dark or blinking light
(``O``, ``o``) counts as the green that it amounts to. ``s`` (turn on red, after a stop) is no green."""
GREEN_LETTERS = frozenset(GREEN_RANK)
PROTECTED_LETTERS = frozenset(letter for letter, rank in GREEN_RANK.items() if rank > 1)
YELLOW_LETTERS = frozenset("yY")
STARTING_LETTERS = frozenset("u")
"""Red with yellow: about to turn green."""


class Clearance(StrEnum):
    """Whose intergreen times hold."""

    ITE = "ite"
    AS_SHIPPED = "as-shipped"


@dataclass(frozen=True, slots=True)
class LinkClearance:
    """How a link ends its green: yellow, then red while what it let in drives out (both s)."""

    yellow_s: float
    all_red_s: float

    @property
    def total_s(self) -> float:
        """From the end of green until a foe may start (s)."""
        return self.yellow_s + self.all_red_s


def yellow_s(approach_mps: float, grade: float = 0.0) -> float:
    """Yellow change interval t + v / (2 (a + g G)), within 3 to 6 s.

    Parameters
    ----------
    approach_mps
        Approach speed v (m/s); the speed limit stands for the 85th percentile.
    grade
        Slope of the approach as a fraction, uphill positive.
    """
    needed = REACTION_TIME_S + approach_mps / (2 * (DECELERATION_MPS2 + GRAVITY_MPS2 * grade))
    return min(max(needed, YELLOW_BOUNDS_S[0]), YELLOW_BOUNDS_S[1])


def all_red_s(crossing_m: float, approach_mps: float) -> float:
    """Red clearance interval (W + L) / v, at most 6 s; W is the way through the junction (m), v its speed (m/s)."""
    if approach_mps <= 0:
        return MAX_ALL_RED_S
    return min((crossing_m + VEHICLE_LENGTH_M) / approach_mps, MAX_ALL_RED_S)


def pedestrian_clearance_s(crossing_m: float) -> float:
    """Time to finish crossing at 1.07 m/s (s)."""
    return crossing_m / WALKING_SPEED_MPS


def minimum_green_s(links: tuple[Link, ...]) -> float:
    """Least green of a stage in which these links run (s): by speed class, and walk plus crossing time for people."""
    vehicles = (_vehicle_minimum_s(link.approach_mps) for link in links if link.has_vehicles)
    people = (WALK_S + pedestrian_clearance_s(link.walk_m) for link in links if link.has_people)
    return max([MINIMUM_GREEN_BY_SPEED_S[0][1], *vehicles, *people])


def _vehicle_minimum_s(approach_mps: float) -> float:
    for limit_mps, green_s in MINIMUM_GREEN_BY_SPEED_S:
        if approach_mps <= limit_mps:
            return green_s
    return FASTEST_MINIMUM_GREEN_S


def ite_clearance(link: Link) -> LinkClearance:
    """Yellow and all-red of a link by formula; people get their crossing time, without yellow where they are alone."""
    walk_s = pedestrian_clearance_s(link.walk_m)
    if link.is_pedestrian:
        return LinkClearance(0.0, walk_s)
    yellow = yellow_s(link.approach_mps)
    red_s = all_red_s(link.crossing_m, link.approach_mps) if link.has_vehicles else 0.0
    return LinkClearance(yellow, max(red_s, walk_s - yellow))


def shipped_clearance(program: Program, bit: int, link: Link) -> LinkClearance:
    """Longest yellow that a program gives a link, and the longest red that follows before anything new turns green (s).

    A program that shows this link no yellow leaves it at zero. A red too long to be a clearance (6 s, or what people
    need to cross) means that the link ends early, and counts as that long only.
    """
    found = [_ending(program, bit, number) for number in ending_phases(program, bit)]
    longest_red_s = max(MAX_ALL_RED_S, pedestrian_clearance_s(link.walk_m))
    return LinkClearance(
        max((ending.yellow_s for ending in found), default=0.0),
        min(max((ending.all_red_s for ending in found), default=0.0), longest_red_s),
    )


def ending_phases(program: Program, bit: int) -> list[int]:
    """Phases in which a link is not green though it was in the phase before."""
    letters = [phase.state[bit] for phase in program.phases]
    return [
        number
        for number, letter in enumerate(letters)
        if letter not in GREEN_LETTERS and letters[number - 1] in GREEN_LETTERS
    ]


def _ending(program: Program, bit: int, start: int) -> LinkClearance:
    """Follow the cycle from the end of a green: its yellow, then the red until another link turns green."""
    phases = program.phases
    yellow = red = 0.0
    for step in range(len(phases)):
        phase = phases[(start + step) % len(phases)]
        if phase.state[bit] in YELLOW_LETTERS:
            yellow += phase.duration_s
            continue
        before = phases[(start + step - 1) % len(phases)].state
        if phase.state[bit] in GREEN_LETTERS or starting_links(before, phase.state):
            break
        red += phase.duration_s
    return LinkClearance(yellow, red)


def starting_links(before: str, now: str) -> list[int]:
    """Links that turn green, or from permitted to protected green, between two states."""
    pairs = enumerate(zip(before, now, strict=True))
    return [bit for bit, (a, b) in pairs if GREEN_RANK.get(b, 0) > GREEN_RANK.get(a, 0)]
