"""A run whose signals are decided from outside: it stops at each question, and goes on with the answers.

It is the run that :mod:`sim.run` does: the same signals, looks, interlock, options and measures. Who answers as a
controller would, gets that controller's run.
"""

import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from networks.faults import InputError, RunError
from networks.netxml import read_network
from signals.agent_view import granted_stages
from signals.observation import BoolArray, Observation, observe
from signals.plan import build_plan
from sim.areas import junction_areas
from sim.control import SignalControl
from sim.delay_meter import DelayMeter
from sim.engine import Engine
from sim.loop import moments
from sim.outputs import RawOutputs, write_additional
from sim.regime import Regime
from sim.run import Done, Run, RunSpec, measured, sumo_options, write_timetabled
from sim.transit_record import TransitRecord

NOT_ASKED = "minimum green or intergreen was running all the time"


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What the agents are asked at a time (s), by signal.

    ``seen`` is what a controller would see; a stage on its way counts as shown for 0 s. ``granted`` are the stages that
    the interlock would grant now, shape (stages,); ``asked`` the signals that may decide now. ``lost_s`` is the delay
    since the question before, see :class:`sim.delay_meter.DelayMeter`, ``refused`` why a wish since then was not
    granted. The last question has no answer: the simulated time is over.
    """

    time_s: float
    seen: Mapping[str, Observation]
    granted: Mapping[str, BoolArray]
    asked: tuple[str, ...]
    lost_s: Mapping[str, float]
    refused: Mapping[str, str]
    is_last: bool


class Ground:
    """What all episodes of an environment share: the network, the plans of the agents' signals, what is measured."""

    def __init__(self, spec: RunSpec, decide_every_s: float | None = None) -> None:
        """Read it.

        Parameters
        ----------
        spec
            The run; agents stand in for its controller. Signals that are not ``controlled`` run their own programs.
        decide_every_s
            Time between questions. By default they come as controllers are asked: whenever a signal may decide.

        Raises
        ------
        InputError
            NO_SIGNALS where no signal has a choice to make; CONFIG_VALUE.
        """
        if decide_every_s is not None and not (math.isfinite(decide_every_s) and decide_every_s >= spec.step_s):
            what = f"decide_every_s must be a time of at least a step of {spec.step_s:g} s, not {decide_every_s!r}"
            raise InputError("CONFIG_VALUE", what, field="decide_every_s")
        self.spec = spec
        self.decide_every_s = decide_every_s
        self.network = read_network(spec.network)
        plans = [build_plan(self.network, name, spec.clearance) for name in dict.fromkeys(spec.controlled)]
        self.plans = {plan.signal_id: plan for plan in plans if plan.is_controllable}
        if not self.plans:
            raise InputError("NO_SIGNALS", "none of the signals has two or more stages", field="controlled")
        self.areas = junction_areas(self.network, tuple(self.plans))
        self.measured = junction_areas(self.network, spec.measured)


class _Standing:
    """Wishes what its agent said last, and knows whether it was asked since."""

    def __init__(self) -> None:
        self.stage = 0
        self.is_asked = False

    def asked(self) -> int:
        self.is_asked = True
        return self.stage

    def wish(self, _seen: Observation) -> int:
        """As a controller."""
        return self.asked()


class Episode:
    """One run from its first question to its measures. ``run`` is there once it is over.

    Raises
    ------
    RunError
        ENGINE_BUSY where this process runs a simulation already.
    InputError
        What :class:`sim.engine.Engine` raises; EPISODE_SHORT where nobody may decide before the end.
    """

    def __init__(self, ground: Ground, seed: int) -> None:
        """Start SUMO and go to the first question."""
        self.run: Run | None = None
        self._began_s = time.process_time()
        self._ground = ground
        self._spec = spec = replace(ground.spec, seed=seed)
        self._standing = {name: _Standing() for name in ground.plans}
        self._decide_s = math.inf if ground.decide_every_s is None else spec.begin_s
        self._transit = TransitRecord(spec.transit, ground.network) if spec.transit else None
        self._files, self._running = ExitStack(), ExitStack()
        with ExitStack() as failed:
            failed.callback(self.close)
            folder = self._files.enter_context(tempfile.TemporaryDirectory(prefix=".sumo-"))
            self._raw = RawOutputs(Path(folder).resolve())
            self._start()
            self.question = self._to_question(())
            if self.question.is_last:
                raise InputError("EPISODE_SHORT", "the simulated time ends before a signal may decide", field="end_s")
            failed.pop_all()

    def _start(self) -> None:
        spec, ground = self._spec, self._ground
        write_additional(self._raw, ground.measured, {}, spec.end_s - spec.begin_s)
        write_timetabled(self._raw, spec, self._transit)
        self._engine = Engine(sumo_options(spec, self._raw, recorded=False), shares_stderr=True)
        try:
            self._running.enter_context(self._engine)
        except RunError as fault:
            if fault.code != "ENGINE_BUSY":
                raise
            remedy = "Close the other environment first, or give each a process of its own (docs/environments.md)"
            raise RunError(fault.code, fault.what, remedy=remedy) from fault
        laws = [(plan, self._standing[name]) for name, plan in ground.plans.items()]
        regime = Regime(laws, "agent", sensing=spec.sensing, priority=spec.priority)
        api, detectors = self._engine.api, self._transit.detectors if self._transit else None
        self._control = SignalControl(api, ground.network, regime, spec.begin_s, spec.seed, detectors)
        self._meter = DelayMeter(api, ground.areas, spec.begin_s)
        self._moments = moments(self._engine, lambda: min(self._control.due_s, self._decide_s), detectors)

    def go_on(self, wishes: Mapping[str, int]) -> Question:
        """Give the stages wished and simulate to the next question; a wish stands until its signal's next one.

        What goes wrong closes the episode.
        """
        with ExitStack() as failed:
            failed.callback(self.close)
            for standing in self._standing.values():
                standing.is_asked = False
            for name, wish in wishes.items():
                self._standing[name].stage = wish
            before = self.question
            known = len(self._control.refused)
            self._control.answer({name: self._standing[name].asked() for name in before.asked}, self._look)
            self._control.show(before.time_s)
            self.question = self._to_question(tuple(wishes), known)
            if self.question.is_last:
                self._finish()
            failed.pop_all()
        return self.question

    def close(self) -> None:
        """End SUMO and remove its files, whatever has happened."""
        with self._files, self._running:
            pass

    def _finish(self) -> None:
        """End SUMO, which then writes what it has counted, and measure."""
        with self._files:
            self._running.close()
            done = Done(self._control, self._engine.cpu_s, time.process_time() - self._began_s)
            ground = self._ground
            run = measured(self._spec, ground.network, self._raw, ground.measured, done, self._transit)
        self.run = replace(run, measures=replace(run.measures, sensing=self._spec.sensing.words))  # seen by agents

    def _to_question(self, wished: Sequence[str], known: int = 0) -> Question:
        """Simulate until agents are asked, or to the end."""
        every_s = self._ground.decide_every_s
        for now_s in self._moments:
            asked = self._control.proceed(now_s)
            is_due = bool(asked) if every_s is None else self._decide_s <= now_s
            if is_due:
                self._decide_s += every_s or 0.0
                return self._question(now_s, asked, wished, known)
            self._stand(now_s, asked)
        end_s = self._engine.time_s
        self._control.proceed(end_s)
        return self._question(end_s, (), wished, known, is_last=True)

    def _stand(self, now_s: float, asked: Sequence[str]) -> None:
        """Pass on the wishes that stand."""
        wishes = {name: self._standing[name].asked() for name in asked}
        if not self._control.is_settled(wishes, now_s):
            self._control.answer(wishes, self._control.look(now_s))
        self._control.show(now_s)

    def _question(
        self, now_s: float, asked: Sequence[str], wished: Sequence[str], known: int, *, is_last: bool = False
    ) -> Question:
        self._look = self._control.look(now_s)
        seen = {name: self._seen(name) for name in self._ground.plans}
        return Question(
            time_s=now_s,
            seen=seen,
            granted={name: self._granted(name) for name in seen},
            asked=tuple(asked),
            lost_s=dict(zip(seen, self._meter.lost_s(now_s).tolist(), strict=True)),
            refused=self._unheard(wished) | {each.junction: each.reason for each in self._control.refused[known:]},
            is_last=is_last,
        )

    def _seen(self, name: str) -> Observation:
        state = self._control.state(name)
        green_s = self._look.time_s - state.since_s if state.is_steady else 0.0
        return observe(self._look, self._control.rows(name), state.target, green_s)

    def _granted(self, name: str) -> BoolArray:
        wanted = self._control.wanted(self._look)[self._control.rows(name)]
        return granted_stages(self._ground.plans[name], self._control.state(name), self._look.time_s, wanted)

    def _unheard(self, wished: Sequence[str]) -> dict[str, str]:
        """Wishes for another stage whose signals could not decide all the time."""
        unheard = [name for name in wished if not self._standing[name].is_asked]
        return {name: NOT_ASKED for name in unheard if self._standing[name].stage != self._control.state(name).target}
