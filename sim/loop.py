"""The loop: SUMO runs until somebody is due, then those who are due act."""

from collections.abc import Callable

from networks.network import RoadNetwork
from signals.controller import Controller
from signals.plan import SignalPlan
from sim.control import SignalControl
from sim.engine import Api, Engine
from sim.options import SumoOptions

Laws = list[tuple[SignalPlan, Controller]]
Progress = Callable[[float], None]


def drive(
    options: SumoOptions,
    api: Api,
    network: RoadNetwork,
    laws: Laws,
    controller: str,
    on_progress: Progress | None,
    progress_every_s: float,
) -> tuple[SignalControl, float]:
    """Simulate to the end with controllers at their signals.

    Returns
    -------
    What the controllers did, and SUMO's CPU time (s).
    """
    with Engine(options, api) as engine:
        control = SignalControl(engine.api, network, laws, controller, options.begin_s)
        now_s = engine.time_s
        report_s = now_s + progress_every_s
        while now_s < options.end_s:
            if control.due_s <= now_s:
                control.act(now_s)
            engine.run_to(min(options.end_s, control.due_s, report_s))
            now_s = engine.time_s
            if report_s <= now_s:
                report_s = now_s + progress_every_s
                if on_progress is not None:
                    on_progress(now_s)
    return control, engine.cpu_s
