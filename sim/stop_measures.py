"""Stops in figures: how well their boards would have foretold arrivals, and where passengers waited and boarded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gtfs.amenities import AmenityTable
from networks.network import FloatArray
from sim.arrival_board import HORIZONS_S, board_errors_s
from sim.passenger_run import PassengerRun
from sim.passengers import BoolArray
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A stop in a run as a row of ``stop_boards.csv``: what a board there would have shown.

    ``information_board`` is whether it has one, empty where that is unknown. Errors are mean absolute ones, of the
    calls that came and could be foretold; five and ten minutes before the arrival. ``boardings`` and ``waiting_h`` are
    empty without passengers.
    """

    variant: str
    seed: int
    stop_id: str
    stop_name: str
    information_board: bool | None
    enclosed: bool | None
    smart: bool | None
    calls_5min: int
    error_5min_s: float
    calls_10min: int
    error_10min_s: float
    boardings: int | None
    waiting_h: float


@dataclass(frozen=True, slots=True)
class StopMeasures:
    """Stops of one run as a row of ``stops_runs.csv``.

    Attributes
    ----------
    board_error_5min_s, board_error_10min_s
        Mean absolute error of what the boards of stops that have one would have shown.
    any_stop_error_5min_s, any_stop_error_10min_s
        The same if every stop had one.
    smart_boardings_share
        Boardings at stops that are smart; ``unknown_boardings_share`` at those of which that is not known.
    waiting_h, enclosed_waiting_h, board_waiting_h
        Time that passengers waited: all of it, at stops that are enclosed, at stops with a board.
    """

    variant: str
    seed: int
    board_error_5min_s: float
    board_error_10min_s: float
    any_stop_error_5min_s: float
    any_stop_error_10min_s: float
    smart_boardings_share: float
    unknown_boardings_share: float
    waiting_h: float
    enclosed_waiting_h: float
    board_waiting_h: float


class StopRecord:
    """A run seen from its stops."""

    def __init__(
        self,
        plan: TransitPlan,
        transit: TransitRun,
        passengers: PassengerRun | None,
        amenities: AmenityTable,
        features: Sequence[str],
    ) -> None:
        self._plan, self._amenities, self._features = plan, amenities, features
        self._errors_s = [np.abs(board_errors_s(plan, transit, before_s)) for before_s in HORIZONS_S]
        self._stops, self._stop_of_call = np.unique(np.array(plan.calls.stop_ids, dtype=np.str_), return_inverse=True)
        self._has_passengers = passengers is not None
        count = len(self._stops)
        self._boardings, self._waiting_h = np.zeros(count), np.full(count, np.nan)
        if passengers is not None:
            stop = self._stop_of_call[passengers.stop_call]
            self._boardings = np.bincount(stop[passengers.boarded], minlength=count).astype(np.float64)
            self._waiting_h = np.bincount(stop, passengers.waits_s(transit) / HOUR_S, minlength=count)

    def rows(self, variant: str, seed: int) -> Iterator[BoardRow]:
        """A row for each stop, by id."""
        names = dict(zip(self._plan.calls.stop_ids, self._plan.calls.stop_names, strict=True))
        for row, stop_id in enumerate(self._stops.tolist()):
            here = self._stop_of_call == row
            (calls_5, error_5_s), (calls_10, error_10_s) = (_mean(errors_s[here]) for errors_s in self._errors_s)
            found = self._amenities.of(stop_id)
            yield BoardRow(
                variant=variant,
                seed=seed,
                stop_id=stop_id,
                stop_name=names[stop_id],
                information_board=found.information_board,
                enclosed=found.enclosed,
                smart=found.has_all(self._features),
                calls_5min=calls_5,
                error_5min_s=error_5_s,
                calls_10min=calls_10,
                error_10min_s=error_10_s,
                boardings=int(self._boardings[row]) if self._has_passengers else None,
                waiting_h=float(self._waiting_h[row]),
            )

    def measures(self, variant: str, seed: int) -> StopMeasures:
        """The run's row; not a number where nothing can be said."""
        has_board, enclosed = self._with("information_board"), self._with("enclosed")
        smart = [self._amenities.of(stop).has_all(self._features) for stop in self._stops.tolist()]
        at_boards = has_board[self._stop_of_call]
        return StopMeasures(
            variant=variant,
            seed=seed,
            board_error_5min_s=_mean(self._errors_s[0][at_boards])[1],
            board_error_10min_s=_mean(self._errors_s[1][at_boards])[1],
            any_stop_error_5min_s=_mean(self._errors_s[0])[1],
            any_stop_error_10min_s=_mean(self._errors_s[1])[1],
            smart_boardings_share=self._boarding_share([state is True for state in smart]),
            unknown_boardings_share=self._boarding_share([state is None for state in smart]),
            waiting_h=float(self._waiting_h.sum()),
            enclosed_waiting_h=float(self._waiting_h[enclosed].sum()) if self._has_passengers else np.nan,
            board_waiting_h=float(self._waiting_h[has_board].sum()) if self._has_passengers else np.nan,
        )

    def _with(self, feature: str) -> BoolArray:
        """Stops that are known to have a feature, shape (stops,)."""
        return np.array([getattr(self._amenities.of(stop), feature) is True for stop in self._stops.tolist()])

    def _boarding_share(self, chosen: Sequence[bool]) -> float:
        whole = self._boardings.sum()
        return float(self._boardings[np.array(chosen)].sum() / whole) if whole else np.nan


def _mean(values_s: FloatArray) -> tuple[int, float]:
    """How many values are known, and their mean."""
    known_s = values_s[np.isfinite(values_s)]
    return len(known_s), float(known_s.mean()) if len(known_s) else np.nan
