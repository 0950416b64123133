"""Webster's plans for a network and its demand: a file that SUMO runs, and timing sheets for people and programs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from networks.netxml import read_network
from networks.outfile import write_text
from scenarios.tables import write_csv
from scenarios.text_table import aligned, counted
from signals.flows import SignalFlows
from signals.intergreen import Clearance
from signals.interlock import Transition
from signals.plan import build_plan
from signals.static import whole_s
from signals.webster import Timing, webster_timings
from sim.demand import demand_from_routes
from sim.outputs import program_xml
from sim.signal_flows import signal_flows
from sim.times import clock_text


@dataclass(frozen=True, slots=True)
class TimingRow:
    """A stage of a signal's plan, as a row of the timing sheet (times in s).

    ``y_ratio`` is the share of all time that its vehicles take, minimum green counted; ``yellow_s`` and ``all_red_s``
    are what is shown after it, from the first yellow to the last, and from there to the next stage, ``change_s`` all
    of it. ``ratio_sum`` is Webster's Y, ``webster_cycle_s`` his cycle within its bounds, ``saturation`` how full the
    green of the fullest lane is.
    """

    signal: str
    stage: int
    state: str
    begin_s: float
    green_s: float
    min_green_s: float
    yellow_s: float
    all_red_s: float
    change_s: float
    y_ratio: float
    vehicles_per_hour: float
    cycle_s: float
    webster_cycle_s: float
    offset_s: float
    lost_s: float
    ratio_sum: float
    saturation: float
    unserved_per_hour: float


@dataclass(frozen=True, slots=True)
class PlanFiles:
    """Where a plan is written: the programs, and beside them the timing sheet as table and as text."""

    programs: Path

    @property
    def table(self) -> Path:
        """The sheet as CSV."""
        return self.programs.with_name(f"{_stem(self.programs)}.timing.csv")

    @property
    def sheet(self) -> Path:
        """The sheet as text."""
        return self.programs.with_name(f"{_stem(self.programs)}.timing.txt")


def _stem(path: Path) -> str:
    return path.name.removesuffix(".xml").removesuffix(".add")


def make_plan(network_path: Path, routes: tuple[Path, ...], out_path: Path) -> tuple[SignalFlows, tuple[Timing, ...]]:
    """Make plans for all signals that have a choice, and write them.

    Raises
    ------
    InputError
        What is wrong with the network or the route files; SIGNAL_CONFLICTS where the network tells no foes.
    """
    network = read_network(network_path)
    demand = demand_from_routes(routes, network)
    flows = signal_flows(network, demand.route_files)
    plans = [build_plan(network, signal.signal_id, Clearance.ITE) for signal in network.signals]
    timings = webster_timings(plans, flows)
    files = PlanFiles(out_path)
    programs = (program_xml(timing.signal_id, timing.program) for timing in timings)
    write_text(files.programs, "\n".join(["<additional>", *programs, "</additional>", ""]))
    write_csv(files.table, TimingRow, tuple(row for timing in timings for row in timing_rows(timing)))
    write_text(files.sheet, "\n".join([*as_lines(timings, flows), ""]))
    return flows, timings


def timing_rows(timing: Timing) -> Iterator[TimingRow]:
    """The stages of a plan in their order."""
    begin_s = 0.0
    case = timing.case
    for number, (stage, green_s, way) in enumerate(zip(case.plan.stages, timing.greens_s, case.ways, strict=True)):
        yellow_s, all_red_s = _shown_s(way)
        yield TimingRow(
            signal=timing.signal_id,
            stage=number,
            state=stage.state,
            begin_s=begin_s,
            green_s=green_s,
            min_green_s=case.least_s[number],
            yellow_s=yellow_s,
            all_red_s=all_red_s,
            change_s=whole_s(way.total_s),
            y_ratio=round(timing.shares.ratios[number], 4),
            vehicles_per_hour=round(float(timing.shares.served[number].sum()) * 3600, 1),
            cycle_s=timing.cycle_s,
            webster_cycle_s=timing.webster_s,
            offset_s=timing.offset_s,
            lost_s=case.lost_s,
            ratio_sum=round(timing.ratio_sum, 4),
            saturation=round(timing.shares.degree, 4),
            unserved_per_hour=round(sum(flow.vehicles_per_hour for flow in case.unserved), 1),
        )
        begin_s += green_s + whole_s(way.total_s)


def _shown_s(way: Transition) -> tuple[float, float]:
    """Time with some yellow in a transition, and time after it (s), as SUMO shows them in whole seconds."""
    yellow = [number for number, (_, state) in enumerate(way.steps) if "y" in state]
    if not yellow:
        return 0.0, 0.0
    starts_s = [*(whole_s(start_s) for start_s, _ in way.steps), whole_s(way.total_s)]
    return starts_s[yellow[-1] + 1] - starts_s[yellow[0]], starts_s[-1] - starts_s[yellow[-1] + 1]


HEAD = ("stage", "state", "begin", "green", "least", "yellow", "all-red", "y")


def as_lines(timings: tuple[Timing, ...], flows: SignalFlows) -> Iterator[str]:
    """The timing sheet as text: a table a signal."""
    total = sum(flow.vehicles_per_hour for flow in flows.movements)
    yield (
        f"Fixed-time plans by Webster for the traffic from {clock_text(flows.begin_s)} to {clock_text(flows.end_s)}: "
        f"{total:,.0f} vehicles an hour pass signals, each counted at every one."
    )
    if flows.unplaced:
        yield f"{counted(round(flows.unplaced), 'vehicle')} left out: the route files do not tell their way."
    yield "Times in seconds. y: share of all time that the vehicles of a stage take, minimum green counted."
    for timing in timings:
        yield ""
        yield (
            f"{timing.signal_id}: cycle {timing.cycle_s:g} (Webster's formula: {timing.webster_s:g}), offset "
            f"{timing.offset_s:g}, lost {timing.case.lost_s:g}, Y {timing.ratio_sum:.2f}, "
            f"fullest lane {timing.shares.degree:.0%} full"
        )
        yield from aligned([HEAD, *(_cells(row) for row in timing_rows(timing))])
        for flow in timing.case.unserved:
            yield f"links {flow.links} have {flow.vehicles_per_hour:.0f} vehicles an hour and no green in any stage"


def _cells(row: TimingRow) -> tuple[str, ...]:
    times_s = (row.begin_s, row.green_s, row.min_green_s, row.yellow_s, row.all_red_s)
    return str(row.stage), row.state, *(f"{time_s:g}" for time_s in times_s), f"{row.y_ratio:.3f}"
