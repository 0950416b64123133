"""Compare controllers at every signal of a network in synthetic traffic: print what changed, write a report.

    python scenarios/examples/compare_lights.py [FOLDER [NETWORK.net.xml.gz]]

Edit the values below. Without a network the built-in city is taken. The same command again goes on where it stopped.
"""

import os
import sys
from pathlib import Path

from scenarios.compare import NETWORK, Comparison
from scenarios.demo import write_demo_city
from scenarios.scenario import read_scenario, scenario_from
from scenarios.study import run_study

BEGIN = "07:00"
END = "08:00"
SEEDS = [1, 2, 3]
VEHICLES_PER_HOUR = 1000
VARIANTS = [
    {"name": "as shipped", "controller": "static"},
    {"name": "actuated, short gap", "controller": "actuated", "parameters": {"gap_s": 2.0}},
    {"name": "max pressure", "controller": "max-pressure"},
]


def main() -> None:
    """Run the variants and tell what they changed."""
    arguments = [Path(text).resolve() for text in sys.argv[1:]]
    folder = arguments[0] if arguments else Path("results/compare-lights").resolve()
    network = arguments[1] if len(arguments) > 1 else read_scenario(write_demo_city(folder / "city")).network.path
    question = {
        "scenario": {"name": "Which lights?", "begin": BEGIN, "end": END, "seeds": SEEDS},
        "network": {"file": str(network)},
        "demand": {"synthetic": {"vehicles_per_hour": VEHICLES_PER_HOUR, "seed": 1}},
        "signals": {"junctions": "all", "clearance": "ite"},
        "variant": VARIANTS,
    }
    scenario = scenario_from(question, folder / "compare_lights.toml")
    study = run_study(scenario, folder / "results", workers=os.cpu_count() or 1, say=print)
    for row in study.comparisons:
        if row.scope == NETWORK:
            print(line(row))
    print(f"report: {study.report}")


def line(row: Comparison) -> str:
    """One measure of one variant beside the first variant, with the 95 % interval of the difference."""
    means = f"{row.baseline_mean:9.2f} -> {row.variant_mean:9.2f} {row.unit}"
    return f"{row.variant:20} {row.metric:22} {means:32} {row.ci95_low:+9.2f} to {row.ci95_high:+9.2f}  {row.verdict}"


if __name__ == "__main__":
    main()
