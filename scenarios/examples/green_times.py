"""What may a signal show? Its stages, and how long each change of stage takes, by formula and as shipped.

    python scenarios/examples/green_times.py [NETWORK.net.xml.gz [SIGNAL]]

Without a network the built-in city is taken, without a signal the first one with three stages or more.
"""

import sys
import tempfile

from networks.network import RoadNetwork
from networks.netxml import read_network
from scenarios.demo import write_demo_city
from scenarios.scenario import read_scenario
from signals.intergreen import Clearance
from signals.interlock import transition
from signals.plan import SignalPlan, build_plan

LEAST_STAGES = 3


def main() -> None:
    """Print the plan of one signal under both kinds of clearance."""
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        network = read_network(given[0] if given else read_scenario(write_demo_city(folder)).network.path)
    signal_id = given[1] if given[1:] else first_signal(network)
    print(f"signal {signal_id}")
    for clearance in Clearance:
        print_plan(build_plan(network, signal_id, clearance), clearance)


def first_signal(network: RoadNetwork) -> str:
    """The first signal that has a choice between enough stages."""
    plans = (build_plan(network, signal.signal_id, Clearance.ITE) for signal in network.signals)
    return next(plan.signal_id for plan in plans if len(plan.stages) >= LEAST_STAGES)


def print_plan(plan: SignalPlan, clearance: Clearance) -> None:
    """Stages, and the intergreen matrix: from the end of a row's stage to the begin of a column's."""
    print(f"\nclearance {clearance}\nstage  state, a letter a link; minimum, maximum and shipped green (s)")
    for number, stage in enumerate(plan.stages):
        print(f"{number:5}  {stage.state} {stage.min_green_s:g} {stage.max_green_s:g} {stage.shipped_s:g}")
    print("intergreen (s), from row to column\n       " + "".join(f"{number:7}" for number in range(len(plan.stages))))
    for number, before in enumerate(plan.stages):
        times_s = [transition(plan, before.state, after.state).total_s for after in plan.stages]
        print(f"{number:7}" + "".join(f"{time_s:7.1f}" for time_s in times_s))


if __name__ == "__main__":
    main()
