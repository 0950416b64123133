"""Which run of a repeated trip (``frequencies.txt``) vehicles are on that name the trip without its start."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gtfs.held_pings import HeldPings, take
from gtfs.run_kernels import Asked, Choices, Ground, Runs, keep_runs
from gtfs.trace_kernels import Progress
from gtfs.trace_plan import TracePlan
from gtfs.trace_settings import TraceSettings
from gtfs.trace_state import blank_progress, blank_runs, with_room
from gtfs.trip_claims import Meaning
from gtfs.trip_guess import as_samples


@dataclass(slots=True, eq=False)
class RunKeeper:
    """Keeps vehicles on one run; ``progress`` is how far each is along its own."""

    plan: TracePlan
    settings: TraceSettings
    runs: Runs = field(default_factory=lambda: blank_runs(0))
    progress: Progress = field(default_factory=lambda: blank_progress(0))

    def keep(self, held: HeldPings, choices: Choices) -> HeldPings:
        """Give pings, by vehicle and there by time, the runs that they are of."""
        rows = np.flatnonzero(np.isin(held.vehicle, held.vehicle[choices.is_repeated[held.claim]]))
        left = np.flatnonzero(self.runs.trip >= 0)  # on a run until they name something else
        rows = np.union1d(rows, np.flatnonzero(np.isin(held.vehicle, left)))
        if not len(rows):
            return held
        some = take(held, rows)
        vehicles = int(held.vehicle.max()) + 1
        self.runs = with_room(self.runs, vehicles, blank_runs)
        self.progress = with_room(self.progress, vehicles, blank_progress)
        plan, calendar = self.plan, self.plan.calendar(some.time_s)
        named = some.named if plan.only_day is None else np.full(len(rows), plan.only_day, np.int32)
        ground = Ground(plan.kernel_lines, plan.kernel_plan, calendar, self.settings.limits)
        asked = Asked(some.claim, named, some.trip, some.day)
        keep_runs(asked, as_samples(some), choices, ground, self.runs, self.progress)
        held.trip[rows], held.day[rows] = asked.trip, asked.day
        return held


def is_repeated(plan: TracePlan, meanings: Iterable[Meaning]) -> npt.NDArray[np.bool_]:
    """Whether each meaning is several runs of one trip."""
    ids = plan.timetable.trips.trip_ids
    flags = [len(one.trips) > 1 and len({ids[trip] for trip in one.trips}) == 1 for one in meanings]
    return np.array(flags, dtype=np.bool_)
