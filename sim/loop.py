"""The loop: SUMO runs until somebody is due, then those who are due act."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from networks.network import RoadNetwork
from sim.control import SignalControl
from sim.detectors import Detectors
from sim.engine import Api, Engine
from sim.options import SumoOptions
from sim.regime import Regime

Progress = Callable[[float], None]


def drive(
    options: SumoOptions,
    api: Api,
    network: RoadNetwork,
    regime: Regime,
    on_progress: Progress | None,
    progress_every_s: float,
    detectors: Detectors | None = None,
) -> tuple[SignalControl, float]:
    """Simulate to the end with controllers at their signals, and detectors for timetabled vehicles where given.

    Returns
    -------
    What the controllers did, and SUMO's CPU time (s).
    """
    with Engine(options, api) as engine:
        control = SignalControl(engine.api, network, regime, options.begin_s, options.seed, detectors)
        report = _Report(on_progress, progress_every_s, engine.time_s + progress_every_s)
        for now_s in moments(engine, lambda: min(control.due_s, report.due_s), detectors):
            if control.due_s <= now_s:
                control.act(now_s)
            report.tell(now_s)
    return control, engine.cpu_s


@dataclass(slots=True)
class _Report:
    """Tells somebody now and then how far the simulation is."""

    on_progress: Progress | None
    every_s: float
    due_s: float

    def tell(self, now_s: float) -> None:
        if self.due_s <= now_s:
            self.due_s = now_s + self.every_s
            if self.on_progress is not None:
                self.on_progress(now_s)


def moments(engine: Engine, due: Callable[[], float], detectors: Detectors | None = None) -> Iterator[float]:
    """Simulate to the end, detectors looking; give each time (s) to which somebody was due, the end left out.

    ``due`` is asked anew after each.
    """
    options = engine.options
    looks_s = _looks_s(options)
    look_s = math.inf if detectors is None else next(looks_s)
    now_s = engine.time_s
    while now_s < options.end_s:
        if due() <= now_s:
            yield now_s
        engine.run_to(min(options.end_s, due(), look_s))
        now_s = engine.time_s
        if detectors is not None and look_s <= now_s:
            _sample(engine.api, detectors, round(look_s - options.step_s, 3))
            look_s = next(looks_s)


def _looks_s(options: SumoOptions) -> Iterator[float]:
    """When detectors look: a step after the moments of SUMO's own record, since its clock is that far ahead.

    SUMO records where the period is a whole number of steps.
    """
    every_ms = math.lcm(round(options.positions_every_s * 1000), round(options.step_s * 1000))
    return (round(options.begin_s + options.step_s + number * every_ms / 1000, 3) for number in count())


def _sample(api: Any, detectors: Detectors, now_s: float) -> None:
    """Show detectors where their vehicles are, in single precision as SUMO's own record has it."""
    vehicle = api.vehicle
    names = [name for name in vehicle.getIDList() if name in detectors.row_of]
    roads = {name: road for name in names if (road := vehicle.getRoadID(name))}
    detectors.take(
        now_s,
        [detectors.row_of[name] for name in roads],
        [vehicle.getRouteIndex(name) for name in roads],
        np.array([vehicle.getLanePosition(name) for name in roads], dtype=np.float32),
        [road.startswith(":") for road in roads.values()],
    )
