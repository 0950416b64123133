"""Check a controller of your own without a simulation: made-up signals, made-up traffic, the contract held against it.

What is checked, at signals of one to six stages with turns that must yield, people who cross, and bits that nobody
sees, with their free stages where the class wants them: ``wish``, and ``following`` where there is one, return the
number of a stage whatever they see; they do not write to what they are shown; the same sights give the same answers,
whatever other signals the class controls meanwhile; and under the interlock no wish of it ever shows protected green to
foes.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any

import numpy as np

from signals.approaching import DEFAULT_RANGE_M, Approaching
from signals.intergreen import GREEN_LETTERS, LinkClearance
from signals.interlock import advance, begin, may_switch, order, shown
from signals.movement import Link
from signals.observation import Observation
from signals.outside_controller import (
    FOLLOWING,
    class_fault,
    has_order,
    observation_to_show,
    parameters_of,
    wants_free_stages,
)
from signals.plan import SignalPlan, Stage, protected_foes, without_protected_foes
from signals.stages import with_free_stages

SPEED_MPS = 13.9
SPACE_M = 7.5
SECONDS = 240
"""How long each made-up junction is driven."""

Chance = np.random.Generator


def check_controller(
    controller: type[Any], parameters: Mapping[str, Any] | None = None, *, seeds: Iterable[int] = range(8)
) -> None:
    """Hold a class against what is asked of a controller.

    Parameters
    ----------
    controller
        Made as ``controller(plan, parameters)``, asked by ``wish(seen)``; ``Parameters`` may be a dataclass of it,
        ``free_stages`` True, ``following(seen)`` its order.
    parameters
        Laid over the defaults of its ``Parameters``.
    seeds
        One made-up signal for each, besides one that has a single stage.

    Raises
    ------
    AssertionError
        Which signal and which sight, and what was wrong there.
    """
    fault = class_fault(controller)
    if fault:
        raise AssertionError(f"{controller.__name__}: {fault}")
    given = parameters_of(controller)(**(parameters or {}))

    def make(plan: SignalPlan) -> Any:
        return controller(plan, given)

    def made_up(seed: int, stages: int = 0) -> SignalPlan:
        return with_free_stages(_plan(seed, stages)) if wants_free_stages(controller) else _plan(seed, stages)

    seeds, other = tuple(seeds), made_up(99)
    for plan in (made_up(0, stages=1), *(made_up(seed) for seed in seeds)):
        for sights in (_still_sights(plan), _random_sights(plan, np.random.default_rng(len(plan.links)))):
            _same_twice(make, plan, list(sights), other)
    for seed in seeds:
        _drive(make, made_up(seed), np.random.default_rng(seed))


@dataclass(frozen=True, slots=True)
class _Sight:
    """An observation, and what it is called in a message."""

    name: str
    seen: Observation


def _same_twice(make: Callable[[SignalPlan], Any], plan: SignalPlan, sights: list[_Sight], other: SignalPlan) -> None:
    """Two of a kind answer the same; the second one is asked while a third has another signal and other sights."""
    first, second, third = make(plan), make(plan), make(other)
    elsewhere = list(_random_sights(other, np.random.default_rng(99)))
    answers = [_asked(first, plan, sight) for sight in sights]
    for number, sight in enumerate(sights):
        _asked(third, other, elsewhere[number % len(elsewhere)])
        again = _asked(second, plan, sight)
        for method, answer in answers[number].items():
            if again[method] != answer:
                what = f"{method} returned {answer}, and {again[method]} when the same was shown to another one of the"
                chance = "class; is there chance in it, or something shared?"
                raise AssertionError(f"{_place(plan, sight)}: {what} {chance}")


def _asked(law: Any, plan: SignalPlan, sight: _Sight) -> dict[str, int]:
    """What it answers, by method, held against the contract."""
    methods = ("wish", FOLLOWING) if has_order(type(law)) else ("wish",)
    return {method: _answer(law, method, plan, sight) for method in methods}


def _answer(law: Any, method: str, plan: SignalPlan, sight: _Sight) -> int:
    before = observation_to_show(sight.seen)
    answer = getattr(law, method)(sight.seen)
    place = _place(plan, sight)
    if isinstance(answer, bool) or not isinstance(answer, Integral):
        raise AssertionError(f"{place}: {method} returned {answer!r:.60}, not the number of a stage")  # noqa: TRY004 - a test fails
    if int(answer) not in range(len(plan.stages)):
        what = f"{method} returned {answer}; there are only stages 0 to {len(plan.stages) - 1}"
        raise AssertionError(f"{place}: {what}")
    for name, value in _arrays(sight.seen):
        if not np.array_equal(value, dict(_arrays(before))[name], equal_nan=value.dtype.kind == "f"):
            raise AssertionError(f"{place}: {method} wrote to {name}")
    return int(answer)


def _arrays(seen: Observation) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    parts = [(field.name, getattr(seen, field.name)) for field in fields(seen)]
    parts += [(f"approaching.{name}", getattr(seen.approaching, name)) for name in seen.approaching._fields]
    return ((name, value) for name, value in parts if isinstance(value, np.ndarray))


def _place(plan: SignalPlan, sight: _Sight) -> str:
    return f"signal with stages {', '.join(stage.state for stage in plan.stages)}, {sight.name}"


def _plan(seed: int, stages: int = 0) -> SignalPlan:
    """A made-up signal; ``stages`` of them, two to six where it is zero."""
    chance = np.random.default_rng(seed)
    count, crossings = int(chance.integers(2, 9)), int(chance.integers(0, 3))
    links = [Link((bit // 2,), (50 + bit,), SPEED_MPS, 20.0, 0.0) for bit in range(count)]
    links += [Link((90 + bit,), (95 + bit,), 0.0, 0.0, 12.0) for bit in range(crossings)]
    links += [Link((), (), 0.0, 0.0, 0.0)] * int(chance.integers(0, 2))
    size = len(links)
    foes = np.triu(chance.random((size, size)) < 0.5, 1)  # noqa: PLR2004 - half of them
    foes |= foes.T
    responses = np.triu(foes)
    return SignalPlan(
        signal_id=f"made up, seed {seed}",
        links=tuple(links),
        stages=tuple(_stages(chance, links, foes, responses, stages or int(chance.integers(2, 7)))),
        clearances=tuple(LinkClearance(3.0, 2.0) if link.has_vehicles else LinkClearance(0.0, 8.0) for link in links),
        foes=foes,
        responses=responses,
        corrected_states=0,
    )


def _stages(chance: Chance, links: list[Link], foes: Any, responses: Any, count: int) -> Iterator[Stage]:
    """Stages that between them give green to every link."""
    turns = chance.integers(0, count, len(links))
    for number in range(count):
        letters = ["G" if turn == number else str(chance.choice(list("rrGg"))) for turn in turns]
        letters[number % len(links)] = "G"
        yield Stage(without_protected_foes("".join(letters), foes, responses), 5.0, 50.0, 20.0)


def _still_sights(plan: SignalPlan) -> Iterator[_Sight]:
    """Sights that are easily forgotten, in every stage."""
    nobody, everybody = _sight(plan, []), _sight(plan, _queues(plan, 12))
    size = len(plan.links)
    changes: dict[str, Observation] = {
        "nobody there": nobody,
        "everybody there": everybody,
        "one vehicle on each link": _sight(plan, _queues(plan, 1)),
        "every way behind blocked": replace(everybody, blocked=np.ones(size, dtype=bool)),
        "a late bus on each link": replace(everybody, bus_lateness_s=np.full(size, 300.0)),
        "no bus": replace(everybody, bus_lateness_s=np.full(size, np.nan)),
        "vehicles past their stop line": _sight(plan, [(bit, -0.5, 9.0) for bit, _, _ in _queues(plan, 1)]),
        "the night's first second": replace(nobody, time_s=0.0, green_s=0.0),
        "green for hours": replace(everybody, green_s=1e5, time_s=2e5),
    }
    for name, seen in changes.items():
        for stage in range(len(plan.stages)):
            yield _Sight(f"{name}, stage {stage}", replace(seen, stage=stage))


def _queues(plan: SignalPlan, cars: int) -> list[tuple[int, float, float]]:
    driven = [bit for bit, link in enumerate(plan.links) if link.has_vehicles]
    return [(bit, 1.0 + SPACE_M * number, 0.0) for bit in driven for number in range(cars)]


def _random_sights(plan: SignalPlan, chance: Chance) -> Iterator[_Sight]:
    """Sixty seconds in which anything is seen."""
    driven = [bit for bit, link in enumerate(plan.links) if link.has_vehicles]
    for second in range(60):
        count = int(chance.integers(0, 25))
        where = zip(
            chance.choice(driven, count), chance.uniform(-1, 260, count), chance.uniform(0, 20, count), strict=True
        )
        seen = _sight(plan, [(int(bit), float(way_m), float(mps)) for bit, way_m, mps in where], 1000.0 + second)
        stage = int(chance.integers(len(plan.stages)))
        seen = replace(seen, stage=stage, blocked=chance.random(len(plan.links)) < 0.2)  # noqa: PLR2004 - a fifth
        yield _Sight(f"random sight {second}, stage {stage}", seen)


def _sight(plan: SignalPlan, cars: list[tuple[int, float, float]], time_s: float = 100.0) -> Observation:
    """What is seen of vehicles, each with its link, way to the stop line (m) and speed (m/s)."""
    size = len(plan.links)
    row = np.array([bit for bit, _, _ in cars], dtype=np.int64)
    distance_m = np.array([way_m for _, way_m, _ in cars], dtype=np.float64)
    speed_mps = np.array([mps for _, _, mps in cars], dtype=np.float64)
    near = distance_m <= DEFAULT_RANGE_M
    nearest_m = np.full(size, np.inf)
    np.minimum.at(nearest_m, row[near], np.maximum(distance_m[near], 0.0))
    weight = 1 - np.clip(distance_m[near] / DEFAULT_RANGE_M, 0.0, 1.0)
    people = np.array([float(link.has_people) for link in plan.links])
    return Observation(
        time_s=time_s,
        stage=0,
        green_s=20.0,
        vehicles=np.bincount(row[near], minlength=size) + people,
        halted=np.bincount(row[near & (speed_mps < 0.1)], minlength=size).astype(np.float64),  # noqa: PLR2004 - stands
        nearest_m=nearest_m,
        closeness=np.bincount(row[near], weights=weight, minlength=size).astype(np.float64),
        ahead=np.zeros(size),
        blocked=np.zeros(size, dtype=bool),
        bus_lateness_s=np.full(size, np.nan),
        approaching=Approaching(row, distance_m, speed_mps, np.ones(len(row)), 0, DEFAULT_RANGE_M),
    )


def _drive(make: Callable[[SignalPlan], Any], plan: SignalPlan, chance: Chance) -> None:
    """A junction with a queue on each link, under the interlock: the conflict monitor must find nothing."""
    law, state = make(plan), begin(plan, 0, 0.0)
    flow = np.array([0.15 * link.has_vehicles for link in plan.links]) * chance.random(len(plan.links))
    cars: list[tuple[int, float, float]] = []
    for second in range(SECONDS):
        now_s = float(second)
        state = advance(plan, state, now_s)
        seen = replace(_sight(plan, cars, now_s), stage=state.stage, green_s=now_s - state.since_s)
        if may_switch(plan, state, now_s):
            sight = _Sight(f"second {second} of a drive, stage {state.stage}", seen)
            state, _ = order(plan, state, _asked(law, plan, sight)["wish"], now_s, seen.demand)
        letters = shown(plan, state, now_s)
        if protected_foes(letters, plan.foes):
            raise AssertionError(f"{plan.signal_id}: {letters} gives protected green to foes")
        cars = _moved(cars, letters)
        cars += [(int(bit), DEFAULT_RANGE_M, SPEED_MPS) for bit in np.flatnonzero(chance.random(len(flow)) < flow)]


def _moved(cars: list[tuple[int, float, float]], letters: str) -> list[tuple[int, float, float]]:
    """Vehicles a second later: free to their queue or stop line, across it at green."""
    ends_m = [-np.inf if letter in GREEN_LETTERS else 1.0 for letter in letters]
    moved = []
    for bit, way_m, _ in sorted(cars, key=lambda car: car[1]):
        next_m = max(way_m - SPEED_MPS, min(ends_m[bit], way_m))
        ends_m[bit] = next_m + SPACE_M if next_m > -np.inf else -np.inf
        moved.append((bit, next_m, way_m - next_m))
    return [(bit, way_m, mps) for bit, way_m, mps in moved if way_m > 0]
