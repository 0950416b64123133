"""What the controllers of a run can see: the kinds of sensors, what may be set, and what they are called.

How each of them errs is in :mod:`signals.sensors`. Rates of errors and places are assumptions of ours to start from,
taken from no measurement: they hang on product, light and weather, so set those of your own. Cameras are taken to miss
more and to see more that is not there than loops. An advance loop 50 m before the stop line is 3.6 s of free driving
away at 50 km/h.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from networks.faults import InputError


@dataclass(frozen=True, slots=True)
class Connected:
    """Vehicles that tell where they are, how fast, and which way they go.

    ``penetration`` is the share of vehicles that do.
    """

    penetration: float = 1.0
    kind: str = field(default="connected", init=False)

    @property
    def words(self) -> str:
        """What it is called in a report."""
        return f"connected vehicles, {_percent(self.penetration)}"

    @property
    def is_sure(self) -> bool:
        """Whether nobody can wait unseen."""
        return self.penetration >= 1


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera before each approach, which sees lanes and not which way somebody will turn.

    ``range_m`` is how far it sees from the stop line. ``miss`` is the share of vehicles that it never sees. ``double``
    is the share of those seen that it takes for two. ``mast_m`` is how high it hangs: who stands close behind another
    far away is hidden, the sooner the lower it hangs.
    """

    range_m: float = 80.0
    miss: float = 0.05
    double: float = 0.03
    mast_m: float = 12.0
    kind: str = field(default="camera", init=False)

    @property
    def words(self) -> str:
        """What it is called in a report."""
        errors = f"{_percent(self.miss)} missed, {_percent(self.double)} counted twice"
        return f"cameras {self.mast_m:g} m up, {self.range_m:g} m of each approach, {errors}"

    @property
    def is_sure(self) -> bool:
        """Whether nobody can wait unseen: the first at a stop line is never hidden."""
        return self.miss == 0


@dataclass(frozen=True, slots=True)
class Loops:
    """Two loops in each lane: one at the stop line, which feels who is there, and one before it, which counts.

    ``advance_m`` is how far before the stop line the second one lies, or where the approach begins if that is nearer.
    ``miss`` is the share of vehicles that a loop does not feel. ``double`` is the share of those felt that the advance
    loop counts twice. ``stuck`` is the share of stop lines whose loop always tells of somebody, as broken ones are set
    to do.
    """

    advance_m: float = 50.0
    miss: float = 0.02
    double: float = 0.01
    stuck: float = 0.0
    kind: str = field(default="loops", init=False)

    @property
    def words(self) -> str:
        """What it is called in a report."""
        errors = f"{_percent(self.miss)} missed, {_percent(self.double)} counted twice"
        broken = f", {_percent(self.stuck)} stuck" if self.stuck else ""
        return f"loops at the stop line and {self.advance_m:g} m before it, {errors}{broken}"

    @property
    def is_sure(self) -> bool:
        """Whether nobody can wait unseen."""
        return self.miss == 0


Sensing = Connected | Camera | Loops

ALL_CONNECTED = Connected()
"""What controllers see where nothing else is asked for."""

KINDS: dict[str, type[Connected] | type[Camera] | type[Loops]] = {
    "connected": Connected,
    "camera": Camera,
    "loops": Loops,
}
NO_SENSING = "nothing"
"""What fixed programs see."""

_SHARE = (0.0, 1.0)
BOUNDS = {
    "penetration": _SHARE,
    "miss": _SHARE,
    "double": _SHARE,
    "stuck": _SHARE,
    "range_m": (10.0, 200.0),
    "advance_m": (10.0, 200.0),
    "mast_m": (4.0, 30.0),
}
"""Least and greatest value of what may be set. Nobody looks farther than controllers do, 200 m."""


def sensing_from(given: object) -> Sensing:
    """The sensing that a scenario's table describes, such as ``{"kind": "camera", "range_m": 80}``.

    Raises
    ------
    InputError
        CONFIG_VALUE where it is no table, has no known kind, or a value is out of bounds; CONFIG_KEY for a key that the
        kind does not have. The field is that of the table, empty for the table itself.
    """
    if not isinstance(given, Mapping):
        raise _fault("", f"must be a table, not {given!r}", 'Write { kind = "connected", penetration = 1.0 }')
    kind = given.get("kind")
    made = KINDS.get(kind) if isinstance(kind, str) else None
    if made is None:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(KINDS)}"
        raise _fault("kind", "a kind is needed" if kind is None else f"unknown kind {kind!r}", remedy)
    known = parameters_of(made)
    values = {key: value for key, value in given.items() if key != "kind"}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            remedy = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(known)}"
            raise InputError("CONFIG_KEY", f"{kind} has no {key!r}", field=key, remedy=remedy)
        _refuse_out_of_bounds(key, value)
    return made(**{key: float(value) for key, value in values.items()})


def parameters_of(kind: type[Any]) -> tuple[str, ...]:
    """Names of what may be set."""
    return tuple(each.name for each in fields(kind) if each.init)


def _refuse_out_of_bounds(key: str, value: object) -> None:
    least, most = BOUNDS[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _fault(key, f"must be a number from {least:g} to {most:g}, not {value!r}")


def _fault(key: str, what: str, remedy: str = "") -> InputError:
    return InputError("CONFIG_VALUE", what, field=key, remedy=remedy)


def _percent(share: float) -> str:
    return f"{100 * share:g} %"
