"""Environments to train agents in: Gymnasium's for one junction, PettingZoo's parallel one for many.

They run the same simulation, show the same observations and pass wishes through the same interlock as controllers have.
One simulation per process: several environments at once need a process each, see docs/environments.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from networks.faults import InputError, RunError
from signals.agent_view import encoded, encoded_size
from signals.observation import Observation
from signals.plan import SignalPlan
from sim.episode import Episode, Ground, Question
from sim.run import Run, RunSpec

try:
    import gymnasium
    import pettingzoo
except ModuleNotFoundError as fault:
    raise ModuleNotFoundError(
        f"environments need {fault.name}, which the extra `rl` brings: pip install 'bagdar[rl]'", name=fault.name
    ) from None

Seen = npt.NDArray[np.float32]
Reward = Callable[[Observation, Observation], float]
"""What a step was worth, from what was seen of a signal before and after it."""

COSTS = ("sumo_cpu_s", "total_cpu_s")
"""Measures that are not the same twice."""
SEEDS = 2**31
"""SUMO takes seeds below."""


class _Course:
    """What both environments do: episodes one after another on the same ground."""

    def __init__(self, spec: RunSpec, decide_every_s: float | None, reward: Reward | None) -> None:
        self._episode: Episode | None = None
        self.ground = Ground(spec, decide_every_s)
        self.run: Run | None = None
        self._reward = reward
        self._delay_s = 0.0

    @property
    def question(self) -> Question:
        return self._under_way().question

    def begin(self, seed: int) -> Question:
        """Start an episode with that seed of SUMO."""
        self.close()
        self._episode = Episode(self.ground, seed % SEEDS)
        self._delay_s = sum(self._episode.question.lost_s.values())
        return self._episode.question

    def go_on(self, wishes: Mapping[str, int]) -> tuple[Question, dict[str, float]]:
        """Give the stages wished; the next question and the rewards."""
        episode, self._episode = self._under_way(), None  # what goes wrong ends it
        before = episode.question.seen
        question = episode.go_on(wishes)
        self._delay_s += sum(question.lost_s.values())
        if question.is_last:
            self.run = episode.run
        else:
            self._episode = episode
        return question, {name: self._worth(name, before[name], question) for name in before}

    def info(self, name: str, question: Question) -> dict[str, Any]:
        """What is told of a signal besides the observation."""
        info: dict[str, Any] = {
            "action_mask": question.granted[name].astype(np.int8),
            "may_decide": name in question.asked,
            "refused": question.refused.get(name, ""),
            "time_s": question.time_s,
            "delay_s": self._delay_s,
        }
        if question.is_last and self.run is not None:
            info["measures"] = {key: value for key, value in asdict(self.run.measures).items() if key not in COSTS}
        return info

    def close(self) -> None:
        """End the simulation, where one runs."""
        episode, self._episode = self._episode, None
        if episode is not None:
            episode.close()

    def __del__(self) -> None:
        """Whoever lets go of an environment without closing it, as in a notebook, shall be able to make another."""
        self.close()

    def _worth(self, name: str, before: Observation, question: Question) -> float:
        if self._reward is None:
            return -question.lost_s[name]
        return float(self._reward(before, question.seen[name]))

    def _under_way(self) -> Episode:
        if self._episode is None:
            raise RunError("EPISODE_OVER", "no episode is under way", remedy="Call reset() first")
        return self._episode


class JunctionEnv(gymnasium.Env[Seen, np.int64]):
    """One junction for Gymnasium.

    An action is the stage wished, an observation what :func:`signals.agent_view.encoded` makes of it. The reward is
    minus the delay in vehicle seconds that all vehicles have gathered since the question before, those that wait for
    entry included. An episode is truncated when the simulated time is over; it does not terminate otherwise.

    ``info`` has ``action_mask`` (int8, 1 for a stage that the interlock would grant now), ``may_decide``, ``refused``
    (why the wish before was not granted, else empty), ``time_s``, ``delay_s`` (of all vehicles since the begin) and, at
    the end, ``measures``: the row of the run as in ``runs.csv``, without CPU times.

    Attributes
    ----------
    plan
        The plan of the signal: its links and stages.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as the base class has it

    def __init__(self, spec: RunSpec, *, decide_every_s: float | None = None, reward: Reward | None = None) -> None:
        """Read the network; nothing is started yet.

        Parameters
        ----------
        spec
            The run, with one signal ``controlled``; its controller is not used.
        decide_every_s
            Time between steps, a wish standing so long. By default a step goes to when the signal may decide again, as
            controllers are asked.
        reward
            In place of the delay.

        Raises
        ------
        InputError
            ONE_JUNCTION where several signals are controlled; what :class:`sim.episode.Ground` raises.
        """
        self._course = _Course(spec, decide_every_s, reward)
        names = tuple(self._course.ground.plans)
        if len(names) != 1:
            what = f"{len(names)} signals are controlled"
            raise InputError("ONE_JUNCTION", what, field="controlled", remedy="Name one, or use NetworkEnv")
        self._name = names[0]
        self.plan = self._course.ground.plans[self._name]
        self.observation_space = _observation_space(self.plan)
        self.action_space = gymnasium.spaces.Discrete(len(self.plan.stages))

    @property
    def seen(self) -> Observation:
        """What a controller would see now."""
        return self._course.question.seen[self._name]

    @property
    def run(self) -> Run | None:
        """The last run that came to its end, with its junctions and refused wishes."""
        return self._course.run

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Seen, dict[str, Any]]:
        """Start an episode: ``seed`` is SUMO's; without one the next follows from the seed before."""
        is_first = self._np_random is None
        seed = self._course.ground.spec.seed if seed is None and is_first else seed
        super().reset(seed=seed, options=options)
        question = self._course.begin(int(self.np_random.integers(SEEDS)) if seed is None else seed)
        return self._shown(question), self._course.info(self._name, question)

    def step(self, action: np.int64 | int) -> tuple[Seen, float, bool, bool, dict[str, Any]]:
        """Wish for a stage and simulate until the next is asked for."""
        question, rewards = self._course.go_on({self._name: int(action)})
        info = self._course.info(self._name, question)
        return self._shown(question), rewards[self._name], False, question.is_last, info

    def close(self) -> None:
        """End the simulation, where one runs."""
        self._course.close()

    def _shown(self, question: Question) -> Seen:
        return encoded(self.plan, question.seen[self._name])


class NetworkEnv(pettingzoo.ParallelEnv):  # type: ignore[misc]  # pettingzoo gives no types
    """Many junctions for PettingZoo, an agent at each signal; its name is the signal's id.

    Actions, observations and ``info`` are those of :class:`JunctionEnv`. By default a step goes to when any signal may
    decide; the wishes of others change nothing then, and their masks leave them the stage that is shown or on its way.
    Whose wish is missing goes on with the one before. The reward of an agent is minus the delay on its approaches and
    inside its junction, and an equal share of what is lost elsewhere: together they are that of the whole network.
    """

    metadata: ClassVar[dict[str, Any]] = {"name": "bagdar_v0", "render_modes": []}

    def __init__(self, spec: RunSpec, *, decide_every_s: float | None = None, reward: Reward | None = None) -> None:
        """As :class:`JunctionEnv`, for every signal ``controlled`` that has a choice."""
        self._course = _Course(spec, decide_every_s, reward)
        self._chance: np.random.Generator | None = None
        self.plans = self._course.ground.plans
        self.possible_agents = list(self.plans)
        self.agents: list[str] = []
        self.render_mode = None
        self.observation_spaces = {name: _observation_space(plan) for name, plan in self.plans.items()}
        self.action_spaces = {name: gymnasium.spaces.Discrete(len(plan.stages)) for name, plan in self.plans.items()}

    @property
    def seen(self) -> Mapping[str, Observation]:
        """What controllers would see now, by signal."""
        return self._course.question.seen

    @property
    def run(self) -> Run | None:
        """The last run that came to its end, with its junctions and refused wishes."""
        return self._course.run

    def observation_space(self, agent: str) -> gymnasium.spaces.Box[Any]:
        """The space of a signal's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.spaces.Discrete:
        """The stages of a signal."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Seen], dict[str, dict[str, Any]]]:
        """Start an episode: ``seed`` is SUMO's; without one the next follows from the seed before."""
        del options
        if seed is None and self._chance is not None:
            question = self._course.begin(int(self._chance.integers(SEEDS)))
        else:
            seed = self._course.ground.spec.seed if seed is None else seed
            self._chance = np.random.default_rng(seed)
            question = self._course.begin(seed)
        self.agents = list(self.possible_agents)
        return self._shown(question), self._infos(question)

    def step(
        self, actions: Mapping[str, int]
    ) -> tuple[dict[str, Seen], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Wish for stages and simulate until some are asked for again."""
        question, rewards = self._course.go_on({name: int(stage) for name, stage in actions.items()})
        ended = dict.fromkeys(self.agents, False)
        truncated = dict.fromkeys(self.agents, question.is_last)
        if question.is_last:
            self.agents = []
        return self._shown(question), rewards, ended, truncated, self._infos(question)

    def close(self) -> None:
        """End the simulation, where one runs."""
        self._course.close()
        self.agents = []

    def _shown(self, question: Question) -> dict[str, Seen]:
        return {name: encoded(plan, question.seen[name]) for name, plan in self.plans.items()}

    def _infos(self, question: Question) -> dict[str, dict[str, Any]]:
        return {name: self._course.info(name, question) for name in self.plans}


def _observation_space(plan: SignalPlan) -> gymnasium.spaces.Box[Any]:
    """The space of a signal's observations."""
    return gymnasium.spaces.Box(0.0, 1.0, (encoded_size(plan),), np.float32)
