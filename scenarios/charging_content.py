"""What a report tells of electric buses: rows of every run, and blocks of the whole day."""

from collections.abc import Mapping
from dataclasses import dataclass

from networks.faults import Notice
from scenarios.charging_source import ChargingSource
from sim.battery_run import BatteryRun
from sim.charging_measures import ChargingBlock, ChargingMeasures, ChargingTrip
from sim.transit_plan import TransitPlan


@dataclass(frozen=True, slots=True)
class DayBlock:
    """A block of the whole service day under a variant as a row of ``charging_day.csv``: by energy, not simulated.

    ``kwh_per_km`` is the mean of the variant's runs, of all variants with the same bus where it has none.
    ``failing_trip`` is the first that falls below the reserve, ``can_be_driven`` that there is none.
    """

    variant: str
    block_id: str
    trips: int
    way_km: float
    kwh_per_km: float
    energy_kwh: float
    charged_kwh: float
    charge_least: float
    trips_served: int
    failing_trip: str
    can_be_driven: bool


@dataclass(frozen=True, slots=True)
class ChargingContent:
    """What a report tells of electric buses. ``sources`` is what variants were told, ``curves`` one run of each."""

    measures: tuple[ChargingMeasures, ...]
    trips: tuple[ChargingTrip, ...]
    blocks: tuple[ChargingBlock, ...]
    day: tuple[DayBlock, ...]
    sources: Mapping[str, ChargingSource]
    plan: TransitPlan
    curves: Mapping[str, BatteryRun]
    charged_stops: Mapping[str, int]
    has_blocks: bool
    notices: tuple[Notice, ...]
