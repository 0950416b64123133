"""Electric buses of one run in figures: the run's row, and rows of trips and of blocks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sim.battery_run import BatteryRun, served
from sim.charging import Charging
from sim.transit_plan import TransitPlan


@dataclass(frozen=True, slots=True)
class ChargingMeasures:
    """Electric buses in one run as a row of ``charging.csv``; charges are shares of the capacity.

    Attributes
    ----------
    electric_share
        The share asked for; ``electric_vehicles`` of ``vehicles`` that may be electric are.
    trips, trips_unserved
        Trips of electric vehicles that began, and those of them that a battery is not enough for: from the first one
        on that falls below the reserve.
    blocks_failed
        Electric vehicles with such a trip.
    energy_kwh, charged_kwh, driven_km
        Over all their time on the road; energy less what braking gave back.
    kwh_per_km
        Of trips that were finished.
    charge_least, charge_end_mean
        Least of all vehicles at any time, and their mean when they left, or at the end.
    """

    variant: str
    seed: int
    electric_share: float
    vehicles: int
    electric_vehicles: int
    trips: int
    trips_unserved: int
    blocks_failed: int
    energy_kwh: float
    charged_kwh: float
    driven_km: float
    kwh_per_km: float
    charge_least: float
    charge_end_mean: float


@dataclass(frozen=True, slots=True)
class ChargingTrip:
    """A trip of an electric bus as a row of ``charging_trips.csv``; times are seconds of the service day.

    ``charged_kwh`` counts from the end of the trip before on. Charges are shares of the capacity, below zero where the
    battery could not have given it; the least is since the end of the trip before. Blank where it did not happen.
    """

    variant: str
    seed: int
    block_id: str
    vehicle_id: str
    trip_id: str
    route_id: str
    begin_s: float
    end_s: float
    driven_km: float
    energy_kwh: float
    kwh_per_km: float
    charged_kwh: float
    charge_begin: float
    charge_end: float
    charge_least: float
    served: bool


@dataclass(frozen=True, slots=True)
class ChargingBlock:
    """An electric bus in one run as a row of ``charging_blocks.csv``; ``failing_trip`` is the first it cannot serve."""

    variant: str
    seed: int
    block_id: str
    vehicle_id: str
    trips: int
    trips_served: int
    failing_trip: str
    driven_km: float
    energy_kwh: float
    charged_kwh: float
    charge_least: float
    charge_end: float


def charging_trips(
    plan: TransitPlan, run: BatteryRun, charging: Charging, block_of: Mapping[str, str], variant: str, seed: int
) -> Iterator[ChargingTrip]:
    """A row for each trip that began, by vehicle and time."""
    can = served(run, plan, charging.bus.reserve)
    for row, leg in enumerate(run.leg.tolist()):
        if not np.isfinite(run.begin_s[row]):
            continue
        vehicle, km = plan.vehicle_ids[plan.legs.vehicle[leg]], float(run.driven_m[row]) / 1000
        is_whole = bool(np.isfinite(run.end_s[row]) and km)
        yield ChargingTrip(
            variant=variant,
            seed=seed,
            block_id=block_of.get(vehicle, vehicle),
            vehicle_id=vehicle,
            trip_id=plan.legs.trip_ids[leg],
            route_id=plan.legs.route_ids[leg],
            begin_s=float(run.begin_s[row]),
            end_s=float(run.end_s[row]),
            driven_km=km,
            energy_kwh=float(run.energy_kwh[row]),
            kwh_per_km=float(run.energy_kwh[row]) / km if is_whole else np.nan,
            charged_kwh=float(run.charged_kwh[row]),
            charge_begin=float(run.charge_begin[row]),
            charge_end=float(run.charge_end[row]),
            charge_least=float(run.charge_least[row]),
            served=bool(can[row]),
        )


def charging_blocks(run: BatteryRun, plan: TransitPlan, trips: list[ChargingTrip]) -> Iterator[ChargingBlock]:
    """A row for each electric vehicle with a trip that began, from the rows of its trips."""
    row_of = {plan.vehicle_ids[vehicle]: row for row, vehicle in enumerate(run.vehicle.tolist())}
    for name, row in row_of.items():
        own = [trip for trip in trips if trip.vehicle_id == name]
        if not own:
            continue
        samples = run.sample_charge[run.sample_vehicle == run.vehicle[row]]
        yield ChargingBlock(
            variant=own[0].variant,
            seed=own[0].seed,
            block_id=own[0].block_id,
            vehicle_id=name,
            trips=len(own),
            trips_served=sum(trip.served for trip in own),
            failing_trip=next((trip.trip_id for trip in own if not trip.served), ""),
            driven_km=float(run.vehicle_driven_m[row]) / 1000,
            energy_kwh=float(run.vehicle_energy_kwh[row]),
            charged_kwh=float(run.vehicle_charged_kwh[row]),
            charge_least=min(trip.charge_least for trip in own),
            charge_end=float(samples[-1]) if len(samples) else np.nan,
        )


def charging_measures(
    charging: Charging,
    trips: list[ChargingTrip],
    rows: list[ChargingBlock],
    vehicles: int,
    variant: str,
    seed: int,
) -> ChargingMeasures:
    """The run's row, from the rows of trips and blocks; not a number where nothing can be said."""
    whole = [trip for trip in trips if np.isfinite(trip.kwh_per_km)]
    whole_km = sum(trip.driven_km for trip in whole)
    return ChargingMeasures(
        variant=variant,
        seed=seed,
        electric_share=charging.electric_share,
        vehicles=vehicles,
        electric_vehicles=len(charging.vehicles),
        trips=len(trips),
        trips_unserved=sum(not trip.served for trip in trips),
        blocks_failed=sum(bool(row.failing_trip) for row in rows),
        energy_kwh=sum(row.energy_kwh for row in rows),
        charged_kwh=sum(row.charged_kwh for row in rows),
        driven_km=sum(row.driven_km for row in rows),
        kwh_per_km=sum(trip.energy_kwh for trip in whole) / whole_km if whole_km else np.nan,
        charge_least=min((row.charge_least for row in rows), default=np.nan),
        charge_end_mean=float(np.mean([row.charge_end for row in rows])) if rows else np.nan,
    )
