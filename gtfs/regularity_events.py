"""Vehicles that run too close behind the one ahead, or too far, as events: one for each stretch of a trip."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gtfs.headways import BUNCHED_BELOW, GAP_ABOVE, GAP_EXCESS_S, Headways, bunched, gaps
from gtfs.service_events import Event, Kind
from gtfs.stop_visits import Integers, StopVisits
from networks.network import NONE

Bools = npt.NDArray[np.bool_]


def regularity_events(visits: StopVisits, found: Headways, ahead: Integers) -> Iterator[Event]:
    """Bunching and gaps, told where they begin along a trip.

    Parameters
    ----------
    found, ahead
        From :func:`gtfs.replay_result.visit_headways`, a row a visit.
    """
    close = f"headway under {BUNCHED_BELOW:g} of the scheduled one"
    for row in _begins(bunched(found), visits):
        yield _event(Kind.BUNCHED, row, visits, found, ahead, BUNCHED_BELOW * float(found.scheduled_s[row]), close)
    far = f"headway over {GAP_ABOVE:g} of the scheduled one, or {GAP_EXCESS_S:g} s more"
    for row in _begins(gaps(found), visits):
        scheduled_s = float(found.scheduled_s[row])
        limit_s = min(GAP_ABOVE * scheduled_s, scheduled_s + GAP_EXCESS_S)
        yield _event(Kind.GAP, row, visits, found, ahead, limit_s, far)


def _begins(flags: Bools, visits: StopVisits) -> list[int]:
    """Flagged visits whose last known one before, on the same trip, is not flagged."""
    known = np.flatnonzero(np.isfinite(visits.departure_s))
    trip, flag = visits.performed[known], flags[known]
    follows = (np.diff(trip, prepend=NONE) == 0) & np.concatenate(([False], flag[:-1]))
    begins: list[int] = known[flag & ~follows].tolist()
    return begins


def _event(
    kind: Kind, row: int, visits: StopVisits, found: Headways, ahead: Integers, limit_s: float, rule: str
) -> Event:
    until_s = float(visits.departure_until_s[row])
    return Event(
        kind=kind,
        time_s=float(visits.departure_s[row]),
        performed=int(visits.performed[row]),
        call=int(visits.call[row]),
        value=float(found.actual_s[row]),
        threshold=limit_s,
        unit="s",
        rule=rule,
        pings_s=(until_s - float(visits.departure_gap_s[row]), until_s),
        other=int(visits.performed[ahead[row]]),
    )
