"""What an environment for agents costs: ours, and sumo-rl's where it is installed, beside bare SUMO in process.

All act by chance on cologne8, every five seconds and ours once more whenever a signal may decide. CPU time is that of
an episode from its first observation to its end, SUMO's process included; ours measures the run at the end, too. Chance
leads to other traffic in each environment, as their safety times differ (ours: minimum green by class and people, the
shipped yellow; sumo-rl's: 5 s and 2 s), and full streets cost SUMO more: so each is held against the time that SUMO
itself took for its steps as well. Steps are told per CPU second, which does not hang on what else the machine does.
"""

import os
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cpu import used_cpu_s
from benchmarks.processes import cost, python_call
from benchmarks.resco import BEGIN_S, HOUR_S, run_spec
from benchmarks.results import Measurement
from benchmarks.setup import Setup, spread
from signals.intergreen import Clearance
from sim.engine import Engine
from sim.options import SumoOptions

MAP = "cologne8"
SEED = 1
EVERY_S = 5
PEER = "sumo_rl"

WAYS = {
    "bare libsumo": ("bare", ""),
    "ours, every 5 s": ("ours", str(EVERY_S)),
    "ours, when a signal may decide": ("ours", ""),
    "sumo-rl over libsumo": ("peer", "libsumo"),
    "sumo-rl over TraCI": ("peer", "traci"),
}
"""Who is measured: a function of this module, and what it is given."""


def environment(setup: Setup) -> Iterator[Measurement]:
    """Steps per CPU second, CPU time over bare SUMO in process and over SUMO's own share, delay of the traffic."""
    folder = setup.real("resco", "environment")
    if folder is None:
        return
    if find_spec(PEER) is None:
        setup.tell("sumo-rl is left out: it is not installed (pip install sumo-rl)")
    ways = {name: way for name, way in WAYS.items() if way[0] != "peer" or find_spec(PEER) is not None}
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
    for turn in range(setup.repeats):
        for name, (function, given) in ways.items():
            setup.tell(f"{name}: {turn + 1} of {setup.repeats}")
            found[name].append(cost(python_call(f"benchmarks.environment:{function}", folder, given)).said)
    bare_s = [each["cpu_s"] for each in found["bare libsumo"]]
    for name, rows in found.items():
        used_s = [row["cpu_s"] for row in rows]
        yield from spread(f"{name}/cpu", used_s, "s")
        yield from spread(f"{name}/cpu over bare libsumo", [a / b for a, b in zip(used_s, bare_s, strict=True)], "1")
        yield from spread(f"{name}/steps per cpu second", [row["steps"] / row["cpu_s"] for row in rows], "1/s")
        if "sumo_s" in rows[0]:
            yield from spread(f"{name}/cpu over sumo's steps", [row["cpu_s"] / row["sumo_s"] for row in rows], "1")
        for key, unit in (("delay_s", "s"), ("conflicts", "1")):
            if key in rows[0]:
                yield Measurement(f"{name}/{key}", rows[0][key], unit)


def bare(folder: str, _given: str) -> dict[str, float]:
    """The shipped programs, a call for each second and nobody who looks."""
    spec = run_spec(Path(folder), MAP, "static", SEED, clearance=Clearance.AS_SHIPPED)
    with Engine(SumoOptions(spec.network, spec.routes, spec.begin_s, spec.end_s, SEED)) as engine:
        began_s = used_cpu_s()
        for second in range(int(HOUR_S)):
            engine.run_to(spec.begin_s + second + 1)
        return {"cpu_s": used_cpu_s() - began_s, "steps": HOUR_S}


def ours(folder: str, every_s: str) -> dict[str, float]:
    """An episode of ours by chance."""
    from sim.environment import NetworkEnv  # noqa: PLC0415 - an extra

    spec = run_spec(Path(folder), MAP, "static", SEED, clearance=Clearance.AS_SHIPPED)
    env = NetworkEnv(spec, decide_every_s=float(every_s) if every_s else None)
    chance, steps = np.random.default_rng(SEED), 0
    env.reset(seed=SEED)
    began_s = used_cpu_s()
    while env.agents:
        env.step({name: int(chance.integers(space.n)) for name, space in env.action_spaces.items()})
        steps += 1
    used_s, run = used_cpu_s() - began_s, env.run
    if run is None:
        return {}
    return {
        "cpu_s": used_s,
        "steps": steps,
        "sumo_s": run.measures.sumo_cpu_s,
        "delay_s": run.measures.delay_per_scheduled_s,
        "conflicts": run.measures.monitor_violations,
    }


def peer(folder: str, api: str) -> dict[str, float]:
    """An episode of sumo-rl's by chance, as it is by default but for warnings and without its tables."""
    if api == "libsumo":
        os.environ["LIBSUMO_AS_TRACI"] = "1"
    import sumo_rl  # noqa: PLC0415 - installed where it is wanted

    place = Path(folder) / MAP / MAP
    env = sumo_rl.SumoEnvironment(
        f"{place}.net.xml.gz",
        f"{place}.rou.xml.gz",
        begin_time=int(BEGIN_S[MAP]),
        num_seconds=int(HOUR_S),
        delta_time=EVERY_S,
        sumo_seed=SEED,
        sumo_warnings=False,
        add_system_info=False,
        add_per_agent_info=False,
    )
    chance, steps, ended = np.random.default_rng(SEED), 0, False
    env.reset(seed=SEED)
    clock = _Clock(env.sumo) if api == "libsumo" else None
    began_s = used_cpu_s()
    while not ended:
        _, _, dones, _ = env.step({name: int(chance.integers(env.action_spaces(name).n)) for name in env.ts_ids})
        ended, steps = dones["__all__"], steps + 1
    if clock is not None:
        return {"cpu_s": used_cpu_s() - began_s, "steps": steps, "sumo_s": clock.used_s}
    env.close()  # the time of a process is told once it has ended: loading it, half a second, is in this one
    return {"cpu_s": used_cpu_s() - began_s, "steps": steps}


class _Clock:
    """Counts the CPU time of SUMO's steps in process."""

    def __init__(self, sumo: Any) -> None:
        self.used_s = 0.0
        self._step = sumo.simulationStep
        sumo.simulationStep = self.step

    def step(self, *given: float) -> None:
        """A step, counted."""
        began_s = time.process_time()
        self._step(*given)
        self.used_s += time.process_time() - began_s
