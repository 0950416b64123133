"""Sections ``[fares]`` and ``[stops]`` of a scenario, and what a variant changes of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gtfs.amenities import FEATURES
from scenarios.scenario_check import Check
from sim.fares import CASH, ELECTRONIC, service_times

WHO = ("boardings", "boardings_per_h")
HOW = ("electronic_share", "electronic", "cash")


@dataclass(frozen=True, slots=True)
class FareSource:
    """How many passengers board, and how they pay.

    Attributes
    ----------
    electronic_share
        Who pays by ``electronic``; the others pay by ``cash``. Both are names of the table in :mod:`sim.fares`.
    boardings
        A file of passengers an hour by stop.
    boardings_per_h
        Passengers an hour at each stop, made up, where there is no file.
    """

    electronic_share: float
    electronic: str = ELECTRONIC
    cash: str = CASH
    boardings: Path | None = None
    boardings_per_h: float = 0.0

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody counted the passengers."""
        return self.boardings is None

    @property
    def words(self) -> str:
        """How they pay, in words."""
        payments = service_times().payments
        return (
            f"{100 * self.electronic_share:g} % pay electronically ({payments[self.electronic].words}), "
            f"the others otherwise ({payments[self.cash].words})"
        )


@dataclass(frozen=True, slots=True)
class StopSource:
    """A table of what stops offer, and the features by which a stop is called smart."""

    amenities: Path
    features: tuple[str, ...] = FEATURES


def fare_source(check: Check, top: Mapping[str, Any]) -> FareSource | None:
    """Read ``[fares]``; None where the scenario has none."""
    if "fares" not in top:
        return None
    table = check.table(top["fares"], "fares", (*HOW, *WHO))
    key = check.one_of(table, "fares", WHO)
    source = FareSource(
        electronic_share=0.0,
        boardings=check.file(table[key], "fares.boardings") if key == "boardings" else None,
        boardings_per_h=check.number(table, "fares.boardings_per_h", 0.0, least=0.0) if key else 0.0,
    )
    if "electronic_share" not in table:
        check.fault("fares.electronic_share", "who pays electronically must be told", "Give a share from 0 to 1")
    return _paid(check, table, "fares", source)


def variant_fares(check: Check, row: Mapping[str, Any], where: str, base: FareSource | None) -> FareSource | None:
    """What a variant changes of how passengers pay; who they are is the same for all variants."""
    if "fares" not in row:
        return base
    table = check.table(row["fares"], f"{where}.fares", HOW)
    if base is None:
        remedy = "Add a [fares] section with electronic_share, and boardings or boardings_per_h"
        check.fault(f"{where}.fares", "who boards must be told for all variants alike", remedy)
        return None
    return _paid(check, table, f"{where}.fares", base)


def _paid(check: Check, table: Mapping[str, Any], where: str, base: FareSource) -> FareSource:
    names = tuple(service_times().payments)
    share = check.number(table, f"{where}.electronic_share", base.electronic_share, least=0.0, most=1.0)
    electronic = check.choice(table, f"{where}.electronic", (base.electronic, *names))
    cash = check.choice(table, f"{where}.cash", (base.cash, *names))
    return replace(base, electronic_share=share, electronic=electronic, cash=cash)


def stop_source(check: Check, table: Mapping[str, Any], where: str, base: StopSource | None) -> StopSource | None:
    """Read ``[stops]``, or what a variant has in place of it."""
    if "stops" not in table:
        return base
    row = check.table(table["stops"], where, ("amenities", "features"))
    features = check.texts(row.get("features", list(base.features if base else FEATURES)), f"{where}.features")
    if not features or set(features) - set(FEATURES):
        check.fault(f"{where}.features", f"must be some of {', '.join(FEATURES)}, not {list(features)!r}")
    if "amenities" not in row and base is not None:
        return replace(base, features=features)
    return StopSource(check.file(row.get("amenities"), f"{where}.amenities"), features)


def check_timetabled(check: Check, top: Mapping[str, Any], *, has_timetable: bool) -> None:
    """Passengers and stops belong to a timetable."""
    rows = top.get("variant", [])
    tables = [top, *(row for row in rows if isinstance(row, Mapping))] if isinstance(rows, list) else [top]
    for name in ("fares", "stops"):
        if not has_timetable and any(name in table for table in tables):
            check.fault(name, "nobody waits at a stop without a timetable", "Add a [transit] section")
