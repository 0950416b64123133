"""What a report tells of passengers and of stops: the rows of every run, and what variants were told of both."""

from collections.abc import Mapping
from dataclasses import dataclass

from networks.faults import Notice
from scenarios.fare_sources import FareSource, StopSource
from sim.passenger_measures import PassengerMeasures
from sim.stop_measures import BoardRow, StopMeasures


@dataclass(frozen=True, slots=True)
class PassengerContent:
    """Passengers and stops of a study: rows of every finished run.

    ``fares`` and ``stops`` are what variants were told, by their name.
    """

    measures: tuple[PassengerMeasures, ...]
    stop_measures: tuple[StopMeasures, ...]
    boards: tuple[BoardRow, ...]
    fares: Mapping[str, FareSource]
    stops: Mapping[str, StopSource]
    notices: tuple[Notice, ...]

    @property
    def is_synthetic(self) -> bool:
        """Whether nobody counted the passengers."""
        return any(source.is_synthetic for source in self.fares.values())
