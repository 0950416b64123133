"""A parallel environment in a process of its own, so that there can be several: SUMO runs once per process.

For environments of one junction Gymnasium has this itself (``gymnasium.vector.AsyncVectorEnv``).
"""

import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import pettingzoo

from networks.faults import RunError
from sim.environment import NetworkEnv


class ProcessEnv(pettingzoo.ParallelEnv):  # type: ignore[misc]  # pettingzoo gives no types
    """A :class:`sim.environment.NetworkEnv` that is made and stepped in a process of its own.

    Raises
    ------
    BagdarError
        Whatever is raised there.
    RunError
        WORKER_FAILED where the process has ended.
    """

    def __init__(self, make: Callable[[], NetworkEnv]) -> None:
        """Start the process; ``make`` is called in it, and must be a function of a module for that."""
        context = multiprocessing.get_context("spawn")  # a copy of this process would share its simulation
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self._process.start()
        theirs.close()
        self.agents: list[str] = []
        self.render_mode = None
        try:
            described = self._asked("describe")
        except BaseException:
            self.close()
            raise
        self.metadata, self.possible_agents, self.observation_spaces, self.action_spaces = described

    def observation_space(self, agent: str) -> Any:
        """The space of a signal's observations."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Any:
        """The stages of a signal."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        """Start an episode."""
        given = self._asked("reset", seed, options)
        self.agents = list(self.possible_agents)
        return given

    def step(self, actions: dict[str, int]) -> Any:
        """Wish for stages and simulate until some are asked for again."""
        given = self._asked("step", actions)
        self.agents = [name for name in self.agents if not given[3][name]]
        return given

    def close(self) -> None:
        """End the simulation and the process."""
        with suppress(OSError):
            self._pipe.close()
        self._process.join()
        self.agents = []

    def _asked(self, what: str, *given: object) -> Any:
        try:
            self._pipe.send((what, given))
            answer = self._pipe.recv()
        except (EOFError, OSError) as fault:
            raise RunError("WORKER_FAILED", "the environment's process has ended") from fault
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(pipe: Connection, make: Callable[[], NetworkEnv]) -> None:
    """In the process: make the environment at the first call, answer until the other end closes."""
    env: NetworkEnv | None = None
    with suppress(EOFError):
        while True:
            what, given = pipe.recv()
            try:
                env = make() if env is None else env
                pipe.send(_described(env) if what == "describe" else getattr(env, what)(*given))
            except Exception as fault:  # noqa: BLE001 - whatever it was, it is raised at the other end
                pipe.send(fault)
    if env is not None:
        env.close()


def _described(env: NetworkEnv) -> tuple[dict[str, Any], list[str], dict[str, Any], dict[str, Any]]:
    return env.metadata, env.possible_agents, env.observation_spaces, env.action_spaces
