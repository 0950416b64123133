"""The controller protocol, and which controllers there are.

A controller sees one signal and wishes for a stage; the interlock decides. ``static`` and ``webster`` are none in this
sense: they are programs, which SUMO runs by itself (see :mod:`signals.static`, :mod:`signals.webster`). A name such as
``module:Class`` is a class of somebody else's (see :mod:`signals.outside_controller`).
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

from networks.faults import InputError
from networks.network import Program
from signals.actuated import Actuated, ActuatedParameters
from signals.cyclic_max_pressure import CyclicMaxPressure
from signals.delay_based import DelayBased, DelayBasedParameters
from signals.flows import SignalFlows
from signals.max_pressure import MaxPressure, MaxPressureParameters
from signals.outside_controller import Guarded, is_outside, outside_controller, outside_parameters
from signals.plan import SignalPlan
from signals.rolling_horizon import RollingHorizon, RollingHorizonParameters
from signals.self_control import SelfControl, SelfControlParameters, SelfControlTeam
from signals.sotl import Sotl, SotlParameters
from signals.static import StaticParameters
from signals.team import Controller, OneByOne, TeamOf
from signals.webster import WebsterParameters, webster_programs


@dataclass(frozen=True, slots=True)
class ControllerKind:
    """How to make a controller, and what may be set. ``make`` is None where SUMO runs the program itself.

    ``programs`` makes the programs that SUMO then runs, by signal, for the traffic given; without it they are the
    shipped ones. Where ``free_stages``, controllers choose from all stages that the movements allow, else from the
    shipped ones. ``team_of`` puts controllers together, each with the rows of its links, so that all are asked at once.
    ``looks_behind`` tells whether it goes by vehicles behind the junction, which are else not counted.
    ``weighs`` tells whether it goes by for how many each vehicle counts, so that priority by weight changes something.
    """

    description: str
    parameters: type
    make: Callable[[SignalPlan, Any], Controller] | None
    programs: Callable[[Sequence[SignalPlan], SignalFlows], dict[str, Program]] | None = None
    free_stages: bool = False
    team_of: TeamOf = OneByOne
    looks_behind: bool = True
    weighs: bool = False


CONTROLLERS: dict[str, ControllerKind] = {
    "static": ControllerKind("the shipped program, as its designer left it", StaticParameters, None),
    "webster": ControllerKind(
        "fixed times made for the demand: cycle and greens by Webster, offsets by search",
        WebsterParameters,
        None,
        webster_programs,
    ),
    "actuated": ControllerKind(
        "shipped stage order; a stage is extended while vehicles keep arriving",
        ActuatedParameters,
        Actuated,
        looks_behind=False,
    ),
    "max-pressure": ControllerKind(
        "serves the stage with the greatest difference of vehicles before and behind it",
        MaxPressureParameters,
        MaxPressure,
        weighs=True,
    ),
    "cyclic-max-pressure": ControllerKind(
        "shipped stage order; a stage lasts until the next one in demand would discharge more pressure",
        MaxPressureParameters,
        CyclicMaxPressure,
        weighs=True,
    ),
    "sotl": ControllerKind(
        "changes once those who wait at red add up to enough; the end of a platoon is let through first",
        SotlParameters,
        Sotl,
        looks_behind=False,
    ),
    "delay-based": ControllerKind(
        "serves the stage whose vehicles have lost most time on their approach",
        DelayBasedParameters,
        DelayBased,
        looks_behind=False,
        weighs=True,
    ),
    "self-control": ControllerKind(
        "serves the stage that lets most vehicles through in the time that it takes, as predicted",
        SelfControlParameters,
        SelfControl,
        free_stages=True,
        team_of=SelfControlTeam,
        looks_behind=False,
        weighs=True,
    ),
    "rolling-horizon": ControllerKind(
        "schedules all who are in sight for the least delay, anew every second, and shows the first stage of it",
        RollingHorizonParameters,
        RollingHorizon,
        free_stages=True,
        looks_behind=False,
        weighs=True,
    ),
}


def controller_kind(name: str, folder: Path | None = None) -> ControllerKind:
    """Look a controller up by its name, or import the class that ``module:Class`` names.

    Parameters
    ----------
    folder
        Where the module of such a class is looked for before Python's own path: the scenario's.

    Raises
    ------
    InputError
        CONFIG_VALUE with the nearest known name; what :func:`signals.outside_controller.outside_controller` raises.
    """
    if is_outside(name):
        outside = outside_controller(name, folder)
        make = partial(Guarded, outside)
        free = outside.free_stages
        return ControllerKind(outside.description, outside.parameters, make, free_stages=free, weighs=True)
    kind = CONTROLLERS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, CONTROLLERS, n=1)
        known = f"Did you mean {near[0]!r}?" if near else f'Known are {", ".join(CONTROLLERS)}, or "module:Class"'
        raise InputError("CONFIG_VALUE", f"unknown controller {name!r}", field="controller", remedy=known)
    return kind


def controller_parameters(name: str, given: Mapping[str, object], folder: Path | None = None) -> Any:
    """The parameters of a controller with what was given laid over its defaults.

    Raises
    ------
    InputError
        CONFIG_KEY for an unknown name, CONFIG_VALUE for a value that is no number above zero; those of somebody else's
        class may be anything that it takes.
    """
    kind = controller_kind(name, folder).parameters
    known = [field.name for field in fields(kind)]
    for key, value in given.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known) or 'none'}"
            raise InputError("CONFIG_KEY", f"{name} has no parameter {key!r}", field="parameters", remedy=remedy)
        if not is_outside(name) and not _is_above_zero(value):
            raise InputError("CONFIG_VALUE", f"{key} must be a number above zero, not {value!r}", field="parameters")
    return outside_parameters(outside_controller(name, folder), dict(given)) if is_outside(name) else kind(**given)


def _is_above_zero(value: object) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and value > 0
