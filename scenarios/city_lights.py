"""City traffic management (T1): smart lights at the sections where accidents concentrate.

The indicator may be read in two ways, and "a high level of accidents" in several: all are told, and how far they lie
apart. A section is a junction site. A light is smart where its controller reacts to measured demand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from networks.csv_rows import Row
from networks.empirical_bayes import LOW
from networks.faults import InputError, Notice
from networks.network import RoadNetwork
from networks.netxml import read_network
from networks.screening import EMPIRICAL_BAYES, FREQUENCY, RULE, Evidence, ordered, scores
from networks.site_counts import last_years
from networks.sites import Site
from scenarios.city import COUNTS, METHODS, City, CrashRecords
from scenarios.city_counts import Count, Found, count, names_of, read_states, read_table, share
from scenarios.hotspots import CrashScene, evidence_of, read_scene, scene_of
from scenarios.indicators import Finding
from scenarios.message import Message, Percent

Say = Callable[[str], None]
State = bool | None
SECTIONS, LIGHTS = COUNTS

FIXED = frozenset({"static", "fixed", "fixed-time", "webster", "off"})
"""Words of a ``controller`` column for lights that do not react; SUMO's and this project's own among them."""

REACTING = frozenset((
    *("actuated", "delay_based", "NEMA", "adaptive", "max-pressure", "cyclic-max-pressure", "sotl", "delay-based"),
    *("self-control", "rolling-horizon", "scoot", "scats"),
))  # fmt: skip
"""Words for lights that react to measured demand."""

NEEDS_ALL = Message("Needs the streets ([network]), accident records ([crashes]) and the smart lights ([lights] smart)")
READINGS = {
    (RULE, SECTIONS): Message("Sections with a smart light, of those that a national rule calls places of accidents"),
    (RULE, LIGHTS): Message("Smart lights, of those at places of accidents by a national rule"),
    (EMPIRICAL_BAYES, SECTIONS): Message("Sections with a smart light, of those surely worse than sections like them"),
    (EMPIRICAL_BAYES, LIGHTS): Message("Smart lights, of those at sections surely worse than sections like them"),
    (FREQUENCY, SECTIONS): Message("Sections with a smart light, of those with most accidents"),
    (FREQUENCY, LIGHTS): Message("Smart lights, of those at the sections with most accidents"),
}
KNOWN = {
    SECTIONS: Message("{yes} of {all} sections have a smart light; {dark} have no light at all"),
    LIGHTS: Message("{yes} of {all} lights at {sections} sections are smart"),
}
PARTLY = {
    SECTIONS: Message(
        "{yes} of {all} sections are known to have a smart light, of {unknown} it is not known and {dark} have no "
        "light at all; needs the smart lights ([lights] smart)"
    ),
    LIGHTS: Message(
        "{yes} of {all} lights at {sections} sections are known to be smart, of {unknown} it is not known; needs the "
        "smart lights ([lights] smart)"
    ),
}
SPREAD = {
    SECTIONS: Message(
        "{yes} of {all} sections have a smart light; {dark} have no light at all. The ways of reading give {least} to "
        "{most}"
    ),
    LIGHTS: Message(
        "{yes} of {all} lights at {sections} sections are smart. The ways of reading give {least} to {most}"
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """Sections of a city, and those with a high level of accidents by each method that can tell."""

    sites: tuple[Site, ...]
    high: Mapping[str, tuple[int, ...]]


def traffic_management(city: City, say: Say = lambda _text: None) -> Found:
    """T1 of a city, in both readings under each way to say which sections are high.

    Raises
    ------
    InputError
        As :func:`networks.netxml.read_network`, :func:`scenarios.hotspots.read_scene` and :func:`smart_lights`.
    """
    if city.network is None or city.crashes is None:
        return Found((Finding("T1", None, NEEDS_ALL),))
    say(f"reading {city.network.name}")
    network = read_network(city.network)
    smart, notices = smart_lights(city.lights.smart, network)
    say(f"matching {names_of(*city.crashes.files)}")
    scene = _scene(city, network, city.crashes)
    screened = screen(scene, city)
    listed = city.lights.smart if isinstance(city.lights.smart, Path) else None
    source = names_of(city.network, *city.crashes.files, listed)
    readings = tuple(
        replace(finding, source=source)
        for method in METHODS
        for finding in (_of_method(screened, smart, method, counted) for counted in COUNTS)
    )
    counted = readings[METHODS.index(city.high.method) * len(COUNTS) + COUNTS.index(city.lights.count)]
    made_up = bool(scene.crashes.synthetic.any())
    return Found(
        (_with_spread(counted, city.lights.count, readings),),
        readings,
        (*scene.notices, *notices),
        is_synthetic=made_up,
    )


def _scene(city: City, network: RoadNetwork, records: CrashRecords) -> CrashScene:
    high = city.high
    scene = read_scene(network, records.files, records.columns, exposure=high.exposure, rule=high.rule)
    return scene if high.years is None else scene_of(scene, last_years(scene.crashes, high.years))


def screen(scene: CrashScene, city: City) -> Screened:
    """Sections with a high level of accidents: by the rule, by Empirical Bayes where it can be had, by most records.

    By Empirical Bayes those are high whose expected count is, with 97.5 % certainty, above that of sections like them.
    """
    evidence = evidence_of(scene, injury_only=city.high.injury_only)
    told = [method for method in METHODS if method != EMPIRICAL_BAYES or evidence.known is not None]
    return Screened(scene.sites, {method: _high(method, evidence, scene.sites, city.high.top) for method in told})


def _high(method: str, evidence: Evidence, sites: tuple[Site, ...], top: int) -> tuple[int, ...]:
    value = scores(method, evidence)
    if method == EMPIRICAL_BAYES and evidence.known is not None and evidence.prediction is not None:
        value = np.where(evidence.known.quantile(LOW) > evidence.prediction.predicted, value, np.nan)
    rows = ordered(value, evidence, sites, np.ones(len(sites), dtype=bool))
    return tuple(rows[:top] if method == FREQUENCY else rows)


def _of_method(screened: Screened, smart: Mapping[int, State], method: str, counted: str) -> Finding:
    """T1 in one reading under one way to say which sections are high."""
    reading = READINGS[method, counted]
    if method not in screened.high:
        how = Message("Too few sections or accident records to hold a section against those like it")
        return Finding("T1", None, how, reading=reading)
    sites = [screened.sites[row] for row in screened.high[method]]
    values = {"sections": len(sites), "dark": sum(not site.signals for site in sites)}
    known, partly = (Message(text[counted].text, values) for text in (KNOWN, PARTLY))
    found = _sections(sites, smart) if counted == SECTIONS else _lights(sites, smart)
    return share("T1", found, known, partly, source=None, reading=reading)


def _sections(sites: list[Site], smart: Mapping[int, State]) -> Count:
    """A section is treated where a light of it is smart; one without lights is not."""
    return count(any_of([smart[signal] for signal in site.signals]) for site in sites)


def _lights(sites: list[Site], smart: Mapping[int, State]) -> Count:
    return count(smart[signal] for signal in sorted({signal for site in sites for signal in site.signals}))


def any_of(states: list[State]) -> State:
    """Whether any is true: None where none is known to be and some are unknown."""
    return True if True in states else None if None in states else False


def _with_spread(counted: Finding, count_of: str, readings: tuple[Finding, ...]) -> Finding:
    """What counts, with how far the readings lie apart."""
    values = [finding.value for finding in readings if finding.value is not None]
    how = counted.how
    if counted.value is not None:
        spread = {"least": Percent(min(values)), "most": Percent(max(values))}
        how = Message(SPREAD[count_of].text, {**counted.how.values, **spread})
    return replace(counted, how=how, reading=None)


def smart_lights(
    given: tuple[str, ...] | Path | None, network: RoadNetwork
) -> tuple[dict[int, State], tuple[Notice, ...]]:
    """Whether each light of a network is smart, by its row.

    A list of ids names all smart lights, so that the others are not. A table has ``signal_id`` and either ``smart``
    (yes, no, empty for unknown) or ``controller``, a kind; lights that it does not name are unknown. Beside a table, or
    without either, a network's program counts as smart where SUMO runs it by detectors; any other says nothing of the
    light that stands there.

    Raises
    ------
    InputError
        As :func:`scenarios.city_counts.read_table`; CITY_SIGNAL where no id is a light of the network; CITY_VALUE for
        an unknown controller.
    """
    ids = [signal.signal_id for signal in network.signals]
    if isinstance(given, tuple):
        strangers = _strangers(list(given), ids, Path("[lights] smart"))
        return {row: name in set(given) for row, name in enumerate(ids)}, strangers
    states, notices = ({}, ()) if given is None else _table(given)
    strangers = () if given is None else _strangers(list(states), ids, given)
    return {row: states.get(name, _by_program(network, row)) for row, name in enumerate(ids)}, (*notices, *strangers)


def _by_program(network: RoadNetwork, row: int) -> State:
    """True where a program of the network reacts to detectors; else nothing is known of the light."""
    return True if any(program.kind in REACTING for program in network.signals[row].programs) else None


def _table(path: Path) -> tuple[dict[str, State], tuple[Notice, ...]]:
    rows = read_table(path, ("signal_id",))
    if not rows or "smart" in rows[0][1]:
        return read_states(path, "signal_id", "smart")
    read_table(path, ("signal_id", "controller"))
    return {row["signal_id"]: _by_controller(path, line, row) for line, row in rows}, ()


def _by_controller(path: Path, line: int, row: Row) -> State:
    kind = row["controller"]
    if not kind:
        return None
    if kind in FIXED | REACTING:
        return kind in REACTING
    what, remedy = f"unknown controller {kind[:40]!r}", f"Use {', '.join(sorted(FIXED | REACTING))}, or a column smart"
    raise InputError("CITY_VALUE", what, file=path, row=line, field="controller", remedy=remedy)


def _strangers(given: list[str], known: list[str], path: Path) -> tuple[Notice, ...]:
    """A notice on lights that the network does not have."""
    lost = sorted(set(given) - set(known))
    if given and len(lost) == len(set(given)):
        what, remedy = f"none of {len(lost)} is a light of the network", "Use ids as `bagdar network info` lists them"
        raise InputError("CITY_SIGNAL", what, file=path, field="signal_id", remedy=remedy)
    if not lost:
        return ()
    remedy = "Use ids of the network's lights; such rows are left out"
    return (Notice("CITY_SIGNAL", "warning", str(path), None, "signal_id", lost[0], remedy, len(lost)),)
