"""Believable made-up studies: what a run of the lights at Berlin-Adlershof could have measured, from a seed."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from networks.network import RoadNetwork
from networks.screening import Hotspot
from scenarios.compare import compare
from scenarios.content import ComparedVariant, Origin, ReportContent
from scenarios.numerals import MINUS, NARROW, UNKNOWN
from sim.measures import JunctionMeasures, RunMeasures, level_of_service

SCHEDULED = 4000
JUNCTIONS = 10


def typed(text: str) -> str:
    """Text as a keyboard gives it: plain blanks, a hyphen for the minus sign, a question mark for what is not known."""
    return text.replace(NARROW, " ").replace(MINUS, "-").replace(UNKNOWN, "?")


def run_row(variant: str, seed: int, delay_s: float, **changes: Any) -> RunMeasures:
    """A finished run with a given delay, the rest in proportion."""
    row = RunMeasures(
        variant=variant,
        seed=seed,
        status="finished",
        scheduled=SCHEDULED,
        inserted=SCHEDULED - 12,
        arrived=SCHEDULED - 260,
        never_inserted=12,
        delay_per_scheduled_s=delay_s,
        time_loss_s=0.92 * delay_s,
        time_loss_p95_s=2.9 * delay_s,
        time_loss_max_s=7.5 * delay_s,
        depart_delay_s=0.08 * delay_s,
        duration_s=170 + delay_s,
        waiting_s=0.6 * delay_s,
        stops=0.03 * delay_s,
        teleports=0,
        collisions=1,
        emergency_braking=round(delay_s / 5),
        gridlocked=False,
        signal_switches=1900,
        refused_wishes=14,
        monitor_violations=0,
        sumo_cpu_s=6.5,
        total_cpu_s=9.1,
    )
    return replace(row, **changes)


def failed_run(variant: str, seed: int, reason: str = "worker killed twice") -> RunMeasures:
    """A run that has no measures."""
    unknown = (
        "delay_per_scheduled_s time_loss_s time_loss_p95_s time_loss_max_s depart_delay_s duration_s waiting_s stops "
        "sumo_cpu_s total_cpu_s"
    )
    none = (
        "scheduled inserted arrived never_inserted teleports collisions emergency_braking signal_switches "
        "refused_wishes monitor_violations"
    )
    values = dict.fromkeys(unknown.split(), math.nan) | dict.fromkeys(none.split(), 0)
    return run_row(variant, seed, 0.0, status=f"failed: {reason}", **values)


def junction_rows(
    network: RoadNetwork, variant: str, seed: int, factor: Callable[[int], float]
) -> list[JunctionMeasures]:
    """A row for each of the network's first signals; ``factor`` scales the delay of each by its position."""
    rows = []
    for position, signal in enumerate(network.signals[:JUNCTIONS]):
        draw = random.Random(f"{signal.signal_id}/{seed}")
        delay_s = (12 + 9 * position) * draw.uniform(0.92, 1.08) * factor(position)
        streets = network.street_names(network.junctions_of_signal(position)[0])
        rows.append(
            JunctionMeasures(
                variant=variant,
                seed=seed,
                junction=signal.signal_id,
                name=" / ".join(streets),
                lon=13.53 + 0.001 * position,
                lat=52.43 + 0.001 * position,
                signalised=True,
                volume_veh_per_h=400.0 + 60 * position,
                delay_s=delay_s,
                queue_mean_veh=delay_s / 9,
                queue_max_veh=delay_s / 2,
                stops_per_veh=0.3 + delay_s / 90,
                level_of_service=level_of_service(delay_s, signalised=True),
            )
        )
    return rows


def sites(network: RoadNetwork, count: int = JUNCTIONS) -> tuple[Hotspot, ...]:
    """Ranked sites at the network's first signals, fewer accidents with each rank."""
    return tuple(
        Hotspot(
            rank=position + 1,
            site=f"site {position}",
            junctions=(),
            signals=(signal.signal_id,),
            street_names=network.street_names(network.junctions_of_signal(position)[0]),
            lon=13.53 + 0.001 * position,
            lat=52.43 + 0.001 * position,
            x_m=0.0,
            y_m=0.0,
            legs=4,
            crashes=24 - 2 * position,
            injury_crashes=9 - position // 2,
            fatal_crashes=0,
            deaths=0,
            injured=11 - position // 2,
            weighted=40.0 - position,
            crashes_per_year=8.0,
            median_match_distance_m=6.5,
        )
        for position, signal in enumerate(network.signals[:count])
    )


def study(
    network: RoadNetwork,
    *,
    delays_s: Sequence[tuple[str, float]] = (("as shipped", 81.0), ("actuated", 72.0), ("max-pressure", 53.0)),
    seeds: Sequence[int] = (1, 2, 3),
    noise_s: float = 2.0,
    **changes: Any,
) -> ReportContent:
    """A whole study with a mean delay for each variant; ``changes`` replace fields of the content."""
    draw = random.Random(5)
    shift_s = {seed: draw.gauss(0, 3 * noise_s) for seed in seeds}
    runs = [
        run_row(name, seed, delay_s + shift_s[seed] + draw.gauss(0, noise_s))
        for name, delay_s in delays_s
        for seed in seeds
    ]
    base_s = delays_s[0][1]
    junctions = [
        row
        for name, delay_s in delays_s
        for seed in seeds
        for row in junction_rows(
            network,
            name,
            seed,
            lambda position, share=delay_s / base_s: share + 0.12 * (share < 1) * (position % 4 - 1),
        )
    ]
    controllers = ("static", "actuated", "max-pressure", "sotl", "webster")
    variants = tuple(
        ComparedVariant(
            name,
            controllers[position % 5],
            {"min_green_s": 7} if position else {},
            "connected vehicles, 100 %" if controllers[position % 5] not in {"static", "webster"} else "nothing",
        )
        for position, (name, _) in enumerate(delays_s)
    )
    content = ReportContent(
        scenario="Adlershof, morning peak",
        begin="07:00:00",
        end="08:00:00",
        seeds=tuple(seeds),
        step_s=1.0,
        teleport_s=-1.0,
        clearance="ite",
        chosen_by="hotspots",
        demand=Origin(
            "4,000 trips in the hour, spread over the streets by their class", is_synthetic=True, records=4000
        ),
        crashes=Origin("generated accident records of three years", is_synthetic=True, records=310),
        network_name="Berlin-Adlershof",
        network=network,
        variants=variants,
        runs=tuple(runs),
        junctions=tuple(junctions),
        comparisons=(),
        hotspots=sites(network),
        notices=(),
        versions={"bagdar": "0.1.0", "python": "3.11", "sumo": "1.28.0"},
        command="bagdar run adlershof.toml -o results/adlershof --seeds 1-3",
    )
    content = replace(content, **changes)
    names = [variant.name for variant in content.variants]
    return replace(content, comparisons=compare(content.runs, content.junctions, names))
