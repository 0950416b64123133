"""What a report and its figures are made of: everything that a study knows, as values."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from networks.faults import Notice
from networks.network import RoadNetwork
from networks.screening import FREQUENCY, Hotspot
from scenarios.charging_content import ChargingContent
from scenarios.compare import FINISHED, JUNCTION_METRICS, NETWORK, Comparison
from scenarios.conflict_results import ConflictResults
from scenarios.passenger_content import PassengerContent
from scenarios.signal_content import SignalContent
from scenarios.transit_content import TransitContent
from signals.sensing import NO_SENSING
from sim.measures import JunctionMeasures, RunMeasures

MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class ComparedVariant:
    """One way to run the lights: its name in the study, its controller, the parameters given to it, what it sees."""

    name: str
    controller: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    sensing: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where traffic or accidents come from, in words, and whether a generator made them up.

    ``records`` is how many there are: vehicles scheduled, accidents matched.
    """

    description: str
    is_synthetic: bool
    records: int


@dataclass(frozen=True, slots=True)
class Place:
    """A junction compared, with the number that it bears on the map, in every figure and in every table.

    ``site`` is the ranked site that it is part of, None where it is part of none.
    """

    number: int
    junction: str
    name: str
    site: Hotspot | None


@dataclass(frozen=True)
class ReportContent:
    """Everything that a report tells. The first of ``variants`` is the baseline of every comparison.

    ``chosen_by`` tells how the junctions came to be compared: all of them, those with most accident records, or listed
    by hand. ``command`` is what to type to repeat the study; ``versions`` are those of the programs that took part.
    ``drivers_run_red`` where the scenario has some do so. ``hotspot_method`` ranked the accident sites.
    """

    scenario: str
    begin: str
    end: str
    seeds: tuple[int, ...]
    step_s: float
    teleport_s: float
    clearance: Literal["ite", "as-shipped"]
    chosen_by: Literal["all", "hotspots", "list"]
    demand: Origin
    crashes: Origin | None
    network_name: str
    network: RoadNetwork = field(repr=False)
    variants: tuple[ComparedVariant, ...]
    runs: tuple[RunMeasures, ...]
    junctions: tuple[JunctionMeasures, ...]
    comparisons: tuple[Comparison, ...]
    hotspots: tuple[Hotspot, ...]
    notices: tuple[Notice, ...]
    versions: Mapping[str, str]
    command: str
    transit: TransitContent | None = None
    signals: SignalContent | None = None
    conflicts: ConflictResults | None = None
    passengers: PassengerContent | None = None
    charging: ChargingContent | None = None
    drivers_run_red: bool = False
    hotspot_method: str = FREQUENCY

    @property
    def baseline(self) -> str:
        """Name of the first variant."""
        return self.variants[0].name

    @cached_property
    def challengers(self) -> tuple[str, ...]:
        """Names of the other variants."""
        return tuple(variant.name for variant in self.variants[1:])

    def runs_of(self, variant: str) -> tuple[RunMeasures, ...]:
        """Runs of a variant by seed, failed ones included."""
        return tuple(sorted((run for run in self.runs if run.variant == variant), key=lambda run: run.seed))

    def finished_of(self, variant: str) -> tuple[RunMeasures, ...]:
        """Runs of a variant that have measures, by seed."""
        return tuple(run for run in self.runs_of(variant) if run.status == FINISHED)

    @cached_property
    def finished_junctions(self) -> tuple[JunctionMeasures, ...]:
        """Rows of junctions in runs that finished."""
        finished = {(run.variant, run.seed) for run in self.runs if run.status == FINISHED}
        return tuple(row for row in self.junctions if (row.variant, row.seed) in finished)

    def difference(self, variant: str, metric: str, scope: str = NETWORK) -> Comparison | None:
        """Comparison of a variant with the baseline, None where there is none."""
        return self._comparison_index.get((variant, scope, metric))

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """Junctions that a finished run measured: ranked ones by rank, others by the baseline's delay, most first."""
        sites = {member: site for site in reversed(self.hotspots) for member in (*site.junctions, *site.signals)}
        names = {row.junction: row.name for row in self.finished_junctions}

        def order(junction: str) -> tuple[float, float, str]:
            delay_s = self.junction_mean(self.baseline, junction, "delay_s")
            rank = sites[junction].rank if junction in sites else math.inf
            return rank, -delay_s if math.isfinite(delay_s) else math.inf, junction

        return tuple(
            Place(number, junction, plain(names[junction]) or short(junction, 24), sites.get(junction))
            for number, junction in enumerate(sorted(names, key=order), start=1)
        )

    def junction_mean(self, variant: str, junction: str, column: str) -> float:
        """Mean of a junction's measure over the finished runs of a variant that have one, NaN where none has."""
        values = self.junction_values(variant, junction, column)
        return math.fsum(values) / len(values) if values else math.nan

    def junction_values(self, variant: str, junction: str, column: str) -> tuple[float, ...]:
        """A junction's measure in each finished run of a variant that has one, by seed."""
        return self._junction_index.get((variant, junction, column), ())

    @cached_property
    def is_synthetic(self) -> bool:
        """Whether some of what went in was made up."""
        return bool(self.synthetic_note)

    @cached_property
    def synthetic_note(self) -> str:
        """What was made up, for the margin of a figure; empty where nothing was."""
        made_up = [
            ("synthetic demand", self.demand),
            ("synthetic accident records", self.crashes),
            ("synthetic timetable", self.transit),
            ("synthetic passengers", self.passengers),
        ]
        return " · ".join(words for words, origin in made_up if origin is not None and origin.is_synthetic)

    @cached_property
    def sensor(self) -> str:
        """What the lights see, in words; where variants see different things, each with their names."""
        names: dict[str, list[str]] = {}
        for variant in self.variants:
            if variant.sensing not in {"", NO_SENSING}:
                names.setdefault(variant.sensing, []).append(variant.name)
        if len(names) < 2:  # noqa: PLR2004 - nothing to tell apart
            return next(iter(names), NO_SENSING)
        return "; ".join(f"{words} ({', '.join(who)})" for words, who in names.items())

    @cached_property
    def margin_note(self) -> str:
        """What a figure that is cut out of the report must tell: what was made up, and what the lights see."""
        seen = {variant.sensing for variant in self.variants} - {"", NO_SENSING}
        words = f"lights see: {next(iter(seen))}" if len(seen) == 1 else "what lights see differs by variant"
        return " · ".join(part for part in (self.synthetic_note, words if seen else "") if part)

    @cached_property
    def _comparison_index(self) -> dict[tuple[str, str, str], Comparison]:
        return {(row.variant, row.scope, row.metric): row for row in self.comparisons}

    @cached_property
    def _junction_index(self) -> dict[tuple[str, str, str], tuple[float, ...]]:
        index: dict[tuple[str, str, str], tuple[float, ...]] = {}
        for row in sorted(self.finished_junctions, key=lambda row: row.seed):
            for metric in JUNCTION_METRICS:
                value = getattr(row, metric.column)
                if math.isfinite(value):
                    key = row.variant, row.junction, metric.column
                    index[key] = (*index.get(key, ()), value)
        return index


def plain(name: str) -> str:
    """Take control characters, direction marks and runs of blanks out of a name from a foreign file."""
    kept = "".join(" " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} else letter for letter in name)
    return " ".join(kept.split())


def short(name: str, limit: int = MAX_NAME) -> str:
    """Cut a plain name in its middle, so that its start and its end still tell it from others."""
    text = plain(name)
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"
