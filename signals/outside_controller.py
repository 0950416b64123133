"""Controllers of others: a class in a file of theirs, named ``module:Class`` in a scenario.

The module is looked for in the scenario's own folder first, then on Python's path. It runs as part of the program: take
scenarios only from those whose programs you would run. What it is shown are copies, what it wishes is checked, and the
interlock decides as it does over every other controller. Whatever goes wrong in it is told in one line.
"""

import difflib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from numbers import Integral
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from networks.faults import InputError
from signals.observation import Observation
from signals.plan import SignalPlan

FOLLOWING = "following"
"""The method by which a class tells which stage comes next in its order."""

CHECK = "`signals.check_controller` finds such faults without a simulation"


@dataclass(frozen=True, slots=True)
class NoParameters:
    """What a class without ``Parameters`` is made with."""


@dataclass(frozen=True, slots=True)
class OutsideController:
    """A class of somebody else's: its name as the scenario has it, its file, the folder that it is imported from."""

    name: str
    made: type[Any]
    parameters: type[Any]
    file: Path
    root: Path

    @property
    def description(self) -> str:
        """The first line of its docstring."""
        return (inspect.getdoc(self.made) or self.name).partition("\n")[0]

    @property
    def free_stages(self) -> bool:
        """Whether it chooses from all stages that the movements allow, not only from the shipped ones."""
        return wants_free_stages(self.made)


def is_outside(name: str) -> bool:
    """Whether a controller's name leads to a class of somebody else's."""
    return ":" in name


@lru_cache(maxsize=64)
def outside_controller(name: str, folder: Path | None = None) -> OutsideController:
    """Import the class that ``module:Class`` names.

    Parameters
    ----------
    folder
        Where the module is looked for before Python's own path.

    Raises
    ------
    InputError
        CONTROLLER_MODULE where there is no such module or its name is taken, CONTROLLER_IMPORT where importing it
        fails, CONTROLLER_CLASS where it has no such class, or one that is no controller.
    """
    module_name, _, class_name = name.partition(":")
    if not class_name.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise _fault("CONTROLLER_MODULE", f"{name!r} is no controller", 'Write "module:Class", such as "mine:Mine"')
    module, root = _imported(name, module_name, None if folder is None else folder.resolve())
    found = getattr(module, class_name, None)
    if not inspect.isclass(found):
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        near = difflib.get_close_matches(class_name, classes, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else ""
        raise _fault("CONTROLLER_CLASS", f"{module.__file__} has no class {class_name!r}", remedy)
    fault = class_fault(found)
    if fault:
        raise _fault("CONTROLLER_CLASS", f"{name}: {fault}", "See docs/controllers.md")
    return OutsideController(name, found, parameters_of(found), Path(str(module.__file__)), root)


def class_fault(made: type[Any]) -> str:
    """Why a class is no controller; empty where it is one."""
    if not callable(getattr(made, "wish", None)):
        return "the class has no method wish(self, seen)"
    parameters = getattr(made, "Parameters", NoParameters)
    if not (inspect.isclass(parameters) and is_dataclass(parameters)):
        return "its Parameters are no dataclass"
    if not isinstance(wants_free_stages(made), bool):
        return f"its free_stages is {wants_free_stages(made)!r:.60}, neither True nor False"
    if has_order(made) and not callable(getattr(made, FOLLOWING)):
        return f"its {FOLLOWING} is {getattr(made, FOLLOWING)!r:.60}, not a method {FOLLOWING}(self, seen)"
    return ""


def wants_free_stages(made: type[Any]) -> bool:
    """What a class says of the stages that it is given; the shipped ones where it says nothing."""
    return getattr(made, "free_stages", False)


def has_order(made: type[Any]) -> bool:
    """Whether a class has an order of stages, which rules of priority then keep."""
    return getattr(made, FOLLOWING, None) is not None


def parameters_of(made: type[Any]) -> type[Any]:
    """The dataclass that a controller's parameters come as."""
    return getattr(made, "Parameters", NoParameters)


def outside_parameters(controller: OutsideController, given: dict[str, object]) -> Any:
    """Its parameters with what was given laid over the defaults; what they may be is for its own class to say.

    Raises
    ------
    InputError
        CONFIG_VALUE where its dataclass refuses them.
    """
    try:
        return controller.parameters(**given)
    except Exception as fault:
        known = ", ".join(field.name for field in fields(controller.parameters)) or "none"
        what = f"{controller.name} does not take these parameters ({_told(fault)})"
        raise InputError("CONFIG_VALUE", what, field="parameters", remedy=f"Known are {known}") from fault


class Guarded:
    """One signal under a controller of somebody else's: shown copies, asked for a whole number, its faults told.

    Attributes
    ----------
    following
        Tells the next stage in its order, None where it has none.
    """

    def __init__(self, controller: OutsideController, plan: SignalPlan, parameters: Any) -> None:
        """Make the controller for this signal."""
        self._controller = controller
        self._signal_id = plan.signal_id
        self._stages = len(plan.stages)
        with self._told_faults("as it was made"):
            self._inner = controller.made(_plan_to_show(plan), parameters)
        self.following: Callable[[Observation], int] | None = self._next if has_order(controller.made) else None

    def wish(self, seen: Observation) -> int:
        """What the controller wishes.

        Raises
        ------
        InputError
            CONTROLLER_FAILED where it raised something, CONTROLLER_ANSWER where it returned no whole number.
        """
        return self._answer("wish", seen)

    def _next(self, seen: Observation) -> int:
        """The stage that it says comes next; no interlock looks at this answer, so it must be there.

        Raises
        ------
        InputError
            As :meth:`wish`, and CONTROLLER_ANSWER where there is no such stage.
        """
        answer = self._answer(FOLLOWING, seen)
        if answer not in range(self._stages):
            raise self._bad_answer(FOLLOWING, seen, f"{answer!s:.60}, there are only stages 0 to {self._stages - 1}")
        return answer

    def _answer(self, method: str, seen: Observation) -> int:
        with self._told_faults(f"at {seen.time_s:g} s"):
            answer = getattr(self._inner, method)(observation_to_show(seen))
        if isinstance(answer, bool) or not isinstance(answer, Integral):
            raise self._bad_answer(method, seen, f"{answer!r:.60}, not the number of a stage")
        return int(answer)

    def _bad_answer(self, method: str, seen: Observation, what: str) -> InputError:
        words = f"{self._place(f'at {seen.time_s:g} s')}: {method} returned {what}"
        return InputError("CONTROLLER_ANSWER", words, file=self._controller.file, remedy=CHECK)

    @contextmanager
    def _told_faults(self, when: str) -> Iterator[None]:
        try:
            yield
        except (Exception, SystemExit) as fault:
            what = f"{self._place(when)}: {_told(fault)}"
            row = _line_in(fault, self._controller.file)
            raise InputError("CONTROLLER_FAILED", what, file=self._controller.file, row=row, remedy=CHECK) from fault

    def _place(self, when: str) -> str:
        return f"{self._controller.name} at junction {self._signal_id!r}, {when}"


def observation_to_show(seen: Observation) -> Observation:
    """A copy that cannot be written to: signals share arrays, and the interlock goes by them afterwards."""
    own = {field.name: _shown(getattr(seen, field.name)) for field in fields(seen)}
    own["approaching"] = type(seen.approaching)(*(_shown(part) for part in seen.approaching))
    return Observation(**own)


def _plan_to_show(plan: SignalPlan) -> SignalPlan:
    """A plan whose tables are copies: the conflict monitor goes by the others."""
    return replace(plan, foes=_shown(plan.foes), responses=_shown(plan.responses))


def _shown(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
    return value


def _imported(name: str, module_name: str, folder: Path | None) -> tuple[ModuleType, Path]:
    """A module, and the folder that it was imported from."""
    top = module_name.partition(".")[0]
    beside = folder is not None and ((folder / f"{top}.py").is_file() or (folder / top).is_dir())
    if beside and folder is not None:
        _refuse_taken(name, top, folder)
    try:
        with _first_on_path(folder if beside else None):
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as fault:
        if fault.name is None or not f"{module_name}.".startswith(f"{fault.name}."):
            raise _import_fault(name, fault) from fault
        remedy = "It is looked for in the scenario's folder, then where Python looks"
        raise _fault("CONTROLLER_MODULE", f"there is no module {module_name!r} for {name!r}", remedy) from fault
    except (Exception, SystemExit) as fault:
        raise _import_fault(name, fault) from fault
    if module.__file__ is None:
        raise _fault("CONTROLLER_MODULE", f"{module_name!r} is a folder or a part of Python", "Name a file's module")
    file = Path(module.__file__)
    depth = module_name.count(".") + (file.name == "__init__.py")
    return module, file.resolve().parents[depth]


@contextmanager
def _first_on_path(folder: Path | None) -> Iterator[None]:
    """Import from a folder before all else; afterwards it stays last, for what the module imports later."""
    if folder is None or str(folder) in sys.path:
        yield
        return
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.path.append(str(folder))


def _refuse_taken(name: str, top: str, folder: Path) -> None:
    """A module of this name that is loaded already would be taken in place of the file."""
    taken = sys.modules.get(top)
    places = [*getattr(taken, "__path__", ()), getattr(taken, "__file__", None) or ""]
    if taken is not None and not any(Path(place).resolve().is_relative_to(folder) for place in places):
        what = f"{folder / top}: another module is called {top!r} already, so that {name!r} cannot be imported"
        raise _fault("CONTROLLER_MODULE", what, "Give the file another name")


def _import_fault(name: str, fault: BaseException) -> InputError:
    return _fault("CONTROLLER_IMPORT", f"{name!r} cannot be imported: {_raised_at(fault)}{_told(fault)}")


def _fault(code: str, what: str, remedy: str = "") -> InputError:
    return InputError(code, what, field="controller", remedy=remedy)


def _told(fault: BaseException) -> str:
    """A fault in one line."""
    return " ".join(f"{type(fault).__name__}: {fault}".split())[:300]


def _raised_at(fault: BaseException) -> str:
    """File and line where a fault was raised, for a message; empty where that is the import machinery."""
    if isinstance(fault, SyntaxError):
        return ""
    frames = [frame for frame in traceback.extract_tb(fault.__traceback__) if not frame.filename.startswith("<")]
    own = [frame for frame in frames if frame.filename not in {__file__, importlib.__file__}]
    return f"{own[-1].filename} line {own[-1].lineno}: " if own else ""


def _line_in(fault: BaseException, file: Path) -> int | None:
    """The last line of a file that a fault passed."""
    frames = traceback.extract_tb(fault.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
    return lines[-1] if lines else None
