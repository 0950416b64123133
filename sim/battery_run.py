"""What became of batteries in a run: energy and state of charge by trip and by vehicle, from SUMO's battery output.

SUMO lets a vehicle with an empty battery drive on, and holds its charge at zero. Here the charge goes on below zero by
what is used, so that what is missing is known; nothing else is changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from networks.faults import RunError
from networks.network import FloatArray, IntArray
from sim.charging import KW, Charging
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun

BoolArray = npt.NDArray[np.bool_]

SAMPLE_S = 60.0
"""Every so often the state of charge is kept, for the figures."""

COLUMNS = ("timestep_time", "vehicle_id", "vehicle_energyConsumed", "vehicle_energyCharged")
LEVEL, SPEED = "vehicle_actualBatteryCapacity", "vehicle_speed"


@dataclass(frozen=True, slots=True, eq=False)
class BatteryRun:
    """Batteries of a run. Trips are the legs of electric vehicles; charges are shares of the capacity.

    Attributes
    ----------
    leg
        Row of the plan's legs, shape (trips,); trips of one vehicle follow each other.
    begin_s, end_s
        From the departure at the first call to the arrival at the last, NaN where there was none before the end.
    energy_kwh
        What the battery gave on the trip, less what braking gave back; what is charged on the way is not taken off.
    charged_kwh
        What chargers gave from the end of the trip before until the end of this one.
    driven_m
        Way of the trip.
    charge_begin, charge_end, charge_least
        At the trip's begin, at its end, and the least since the end of the trip before; below zero where the battery
        could not have given it.
    vehicle
        Row of the plan's vehicles, shape (vehicles,).
    vehicle_energy_kwh, vehicle_charged_kwh, vehicle_driven_m
        Whole time on the road, ways without passengers and waits included, shape (vehicles,).
    sample_vehicle, sample_time_s, sample_charge
        State of charge every minute, shape (samples,), by vehicle and time.
    """

    leg: IntArray
    begin_s: FloatArray
    end_s: FloatArray
    energy_kwh: FloatArray
    charged_kwh: FloatArray
    driven_m: FloatArray
    charge_begin: FloatArray
    charge_end: FloatArray
    charge_least: FloatArray
    vehicle: IntArray
    vehicle_energy_kwh: FloatArray
    vehicle_charged_kwh: FloatArray
    vehicle_driven_m: FloatArray
    sample_vehicle: IntArray
    sample_time_s: FloatArray
    sample_charge: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Battery:
    """A vehicle's battery step by step, shape (steps,) each: energies of the step (Wh), way (m), charge after it."""

    time_s: FloatArray
    consumed_wh: FloatArray
    charged_wh: FloatArray
    driven_m: FloatArray
    charge: FloatArray


def read_batteries(path: Path, plan: TransitPlan, transit: TransitRun, charging: Charging, step_s: float) -> BatteryRun:
    """Batteries by trip, from SUMO's battery output as Parquet.

    Raises
    ------
    RunError
        SUMO_OUTPUT where the file is not what SUMO writes.
    """
    table = _read(path)
    batteries = _by_vehicle(table, charging, step_s) if table is not None else {}
    row_of = {name: row for row, name in enumerate(plan.vehicle_ids)}
    vehicles = sorted(row_of[name] for name in charging.vehicles if name in row_of)
    trips, whole, samples = list[tuple[float, ...]](), list[tuple[float, ...]](), list[tuple[float, ...]]()
    for vehicle in vehicles:
        battery = batteries.get(plan.vehicle_ids[vehicle], _UNUSED)
        trips.extend(_trips(plan, transit, vehicle, battery))
        net_wh = battery.consumed_wh.sum()
        whole.append((vehicle, net_wh / KW, battery.charged_wh.sum() / KW, battery.driven_m.sum()))
        kept = np.flatnonzero(np.floor(battery.time_s / SAMPLE_S) > np.floor((battery.time_s - step_s) / SAMPLE_S))
        samples.extend((vehicle, battery.time_s[row], battery.charge[row]) for row in kept.tolist())
    return _filled(trips, whole, samples)


def _filled(
    trips: Sequence[tuple[float, ...]], whole: Sequence[tuple[float, ...]], samples: Sequence[tuple[float, ...]]
) -> BatteryRun:
    """Rows as columns."""
    columns: list[npt.NDArray[np.generic]] = []
    for rows, width in ((trips, 9), (whole, 4), (samples, 3)):
        row, *values = np.array(rows, dtype=np.float64).reshape(-1, width).T
        columns += [row.astype(np.int32), *values]
    return BatteryRun(**dict(zip((item.name for item in fields(BatteryRun)), columns, strict=True)))  # type: ignore[arg-type]


_NONE = np.empty(0)
_UNUSED = Battery(_NONE, _NONE, _NONE, _NONE, _NONE)


def _trips(plan: TransitPlan, transit: TransitRun, vehicle: int, battery: Battery) -> list[tuple[float, ...]]:
    """A row for each leg of a vehicle, in the order of :class:`BatteryRun`."""
    legs = np.flatnonzero(plan.legs.vehicle == vehicle).tolist()
    consumed_wh, charged_wh, driven_m = (
        np.concatenate(([0.0], np.cumsum(values)))
        for values in (battery.consumed_wh, battery.charged_wh, battery.driven_m)
    )
    rows, before = [], 0
    for leg in legs:
        begin_s = float(transit.departure_s[plan.legs.call_start[leg]])
        end_s = float(transit.arrival_s[plan.legs.call_start[leg + 1] - 1])
        # what a step tells has happened by its time; who has not arrived drives on until the end
        first = int(np.searchsorted(battery.time_s, begin_s, side="right")) if np.isfinite(begin_s) else -1
        if first < 0:
            rows.append((leg, begin_s, end_s, *[np.nan] * 6))
            continue
        last = int(np.searchsorted(battery.time_s, end_s, side="right")) if np.isfinite(end_s) else len(battery.time_s)
        since = battery.charge[before:last]
        rows.append((
            leg,
            begin_s,
            end_s,
            (consumed_wh[last] - consumed_wh[first]) / KW,
            (charged_wh[last] - charged_wh[before]) / KW,
            driven_m[last] - driven_m[first],
            battery.charge[first - 1] if first else np.nan,
            battery.charge[last - 1] if last else np.nan,
            since.min() if len(since) else np.nan,
        ))  # fmt: skip
        before = last
    return rows


def _read(path: Path) -> pa.Table | None:
    """The rows of vehicles; None where no electric one was on the road at any time."""
    try:
        with pq.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            if "vehicle_id" not in names:
                return None
            return file.read(columns=[*COLUMNS, LEVEL, SPEED]).drop_null()
    except (OSError, pa.ArrowException) as fault:
        raise RunError("SUMO_OUTPUT", f"batteries cannot be read ({fault})", file=path) from fault


def _by_vehicle(table: pa.Table, charging: Charging, step_s: float) -> dict[str, Battery]:
    """Steps of each vehicle in order of time."""
    texts = table["vehicle_id"].combine_chunks().dictionary_encode()
    who = np.asarray(np.from_dlpack(texts.indices))
    time_s = _numbers(pc.cast(table["timestep_time"], pa.float64()))
    consumed_wh, charged_wh, level_wh, speed_mps = (_numbers(table[name]) for name in (*COLUMNS[2:], LEVEL, SPEED))
    order = np.lexsort((time_s, who))
    bounds = np.searchsorted(who[order], np.arange(len(texts.dictionary) + 1))
    full_wh = charging.bus.capacity_kwh * KW
    found = {}
    for number, name in enumerate(texts.dictionary.to_pylist()):
        rows = order[bounds[number] : bounds[number + 1]]
        levels_wh = unbounded_wh(level_wh[rows], consumed_wh[rows], charged_wh[rows])
        found[name] = Battery(
            time_s[rows], consumed_wh[rows], charged_wh[rows], speed_mps[rows] * step_s, levels_wh / full_wh
        )
    return found


def unbounded_wh(level_wh: FloatArray, consumed_wh: FloatArray, charged_wh: FloatArray) -> FloatArray:
    """Charge after each step as it would be could it fall below zero, shape (steps,).

    Steps change it as they changed SUMO's level, which stays full where braking gives more than there is room for;
    where that level is at zero before or after a step, by what was charged less what was used.
    """
    changes_wh = np.diff(level_wh)
    at_zero = (level_wh[1:] <= 0) | (level_wh[:-1] <= 0)
    changes_wh = np.where(at_zero, charged_wh[1:] - consumed_wh[1:], changes_wh)
    first_wh = level_wh[:1] if len(level_wh) and level_wh[0] > 0 else charged_wh[:1] - consumed_wh[:1]
    return np.cumsum(np.concatenate((first_wh, changes_wh)))


def served(run: BatteryRun, plan: TransitPlan, reserve: float) -> BoolArray:
    """Whether each trip can be served, shape (trips,): neither it nor one before it falls below the reserve.

    A trip that did not begin before the end of the run is judged by the ones before it.
    """
    fails = np.nan_to_num(run.charge_least, nan=np.inf) < reserve
    vehicle = plan.legs.vehicle[run.leg]
    can = np.ones(len(run.leg), dtype=np.bool_)
    for row in np.unique(vehicle).tolist():
        own = np.flatnonzero(vehicle == row)
        can[own] = ~np.logical_or.accumulate(fails[own])
    return can


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    return np.asarray(np.from_dlpack(column.combine_chunks()), dtype=np.float64)
