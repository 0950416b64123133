"""Which controllers and sensors there are, told by their own classes: docstrings, fields, what is read of a look."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields
from typing import Any

from signals.controller import CONTROLLERS, ControllerKind
from signals.observation import Observation
from signals.sensing import KINDS, parameters_of

ALWAYS_KNOWN = frozenset({"time_s", "stage", "green_s"})
"""Of an observation: what the signal knows of itself, without any sensor."""

BEHIND = frozenset({"ahead", "blocked"})
"""Of an observation: what detectors behind the junction tell, whatever the sensing before it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that may be set: its name, its default, what it means."""

    name: str
    default: float
    meaning: str


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """A controller as its code tells of it.

    ``senses`` are the fields of :class:`signals.observation.Observation` that it reads, ``sensors`` the kinds of
    sensing that can give them, ``demand`` whether it is made for the scenario's demand. ``source`` is the paper, manual
    or program behind it.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    senses: tuple[str, ...]
    sensors: tuple[str, ...]
    demand: bool
    source: str


def controllers() -> tuple[ControllerFacts, ...]:
    """All controllers in their order."""
    return tuple(_facts(name, kind) for name, kind in CONTROLLERS.items())


def as_lines(listed: tuple[ControllerFacts, ...]) -> Iterator[str]:
    """A paragraph for each controller, then one for each kind of sensing."""
    for number, facts in enumerate(listed):
        yield from [""] if number else []
        yield f"{facts.name}: {facts.description}"
        yield f"  senses: {_senses(facts)}"
        for parameter in facts.parameters:
            yield f"  {parameter.name} = {parameter.default:g}: {parameter.meaning}"
        yield f"  source: {facts.source}"
    for name, kind in KINDS.items():
        yield ""
        yield f'sensing = {{ kind = "{name}" }}: {(inspect.getdoc(kind) or "").partition(".")[0]}'
        for key in parameters_of(kind):
            yield f"  {key} = {getattr(kind(), key):g}: {meaning_of(kind, key)}"


def _senses(facts: ControllerFacts) -> str:
    if facts.senses:
        behind = f"; {' and '.join(told)} from detectors behind the junction" if (told := _behind(facts)) else ""
        return f"{', '.join(facts.senses)} (sensors: {', '.join(facts.sensors)}{behind})"
    return "nothing while it runs; it is made for the scenario's demand" if facts.demand else "nothing"


def _behind(facts: ControllerFacts) -> list[str]:
    return [field for field in facts.senses if field in BEHIND]


def _facts(name: str, kind: ControllerKind) -> ControllerFacts:
    senses = _senses_of(kind.make)
    return ControllerFacts(
        name=name,
        description=kind.description,
        parameters=tuple(
            Parameter(field.name, field.default, meaning_of(kind.parameters, field.name))
            for field in fields(kind.parameters)
            if field.default is not MISSING
        ),
        senses=senses,
        sensors=tuple(KINDS) if senses else (),
        demand=kind.programs is not None,
        source=_source(kind),
    )


def meaning_of(parameters: type, name: str) -> str:
    """What a docstring says of a field: from where it is named first to where the next field is."""
    text = " ".join((inspect.getdoc(parameters) or "").split())
    names = [field.name for field in fields(parameters)]
    begins = sorted((found.start(), each) for each in names if (found := re.search(rf"``{each}``", text)))
    ends = [*(start for start, _ in begins[1:]), len(text)]
    for (start, each), end in zip(begins, ends, strict=True):
        if each == name:
            return _tidy(text, start, end, f"``{name}``")
    return ""


def _tidy(text: str, start: int, end: int, quoted: str) -> str:
    """The sentence around a name where the name stands inside it, else what follows the name."""
    before = max(text.rfind(". ", 0, start), text.rfind("; ", 0, start))
    head = text[before + 2 : start].strip() if before >= 0 else ""
    told = text[start:end]
    if end < len(text):  # what leads up to the next field belongs to that one
        told = re.split(r"[.;] (?!.*[.;] )", told)[0]
    told = f"{head} {told}" if head else told.removeprefix(quoted).strip().removeprefix("is ")
    return told.replace("``", "").strip(" .;")


def _senses_of(make: Any) -> tuple[str, ...]:
    """Fields of the observation that a controller's module reads, in their order."""
    if make is None:
        return ()
    tree = ast.parse(inspect.getsource(inspect.getmodule(make) or make))
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    read |= {"vehicles"} if "demand" in read else set()
    return tuple(field.name for field in fields(Observation) if field.name in read - ALWAYS_KNOWN)


def _source(kind: ControllerKind) -> str:
    """What a controller's module says below its first paragraph."""
    module = inspect.getmodule(kind.make or kind.parameters)
    _, _, below = (inspect.getdoc(module) or "").partition("\n\n")
    return re.sub(r":\w+:`([^`]+)`", r"\1", " ".join(below.split())).replace("*", "").replace("``", "")
