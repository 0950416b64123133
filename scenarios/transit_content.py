"""What a report tells of timetabled vehicles: the feed, the plan, and the rows of every run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from networks.faults import Notice
from sim.dwell import DEFAULT_S
from sim.transit_account import PatternRow
from sim.transit_plan import TransitPlan
from sim.transit_run import TransitRun
from sim.transit_tables import HeadwayRow, StopVisit, TransitMeasures


@dataclass(frozen=True)
class TransitContent:
    """Timetabled vehicles of a study.

    Attributes
    ----------
    on_time
        Name of the rule by which visits were judged.
    measures, visits, headways
        Rows of every finished run.
    traces
        One run of each variant, for the figures: that of the first seed that finished. Its seed stands beside it.
    dwell_s
        Time that a vehicle stands at a stop, if it need not wait for its timetable.
    notices
        What the import found wrong in the feed, or left out.
    """

    feed: str
    service_date: str
    on_time: str
    is_synthetic: bool
    patterns: tuple[PatternRow, ...]
    measures: tuple[TransitMeasures, ...]
    visits: tuple[StopVisit, ...]
    headways: tuple[HeadwayRow, ...]
    plan: TransitPlan = field(repr=False)
    traces: Mapping[str, tuple[int, TransitRun]] = field(repr=False)
    dwell_s: float = DEFAULT_S
    notices: tuple[Notice, ...] = ()

    @cached_property
    def routes(self) -> tuple[str, ...]:
        """Ids of the routes that vehicles serve, those with most trips first."""
        ids = self.plan.legs.route_ids
        return tuple(sorted(set(ids), key=lambda route: (-ids.count(route), route)))

    @cached_property
    def trips(self) -> int:
        """Trips that vehicles serve, whole or in part."""
        return len(set(self.plan.legs.trip_ids))

    def rank(self, route: str) -> int:
        """Position of a route among the routes."""
        return self.routes.index(route)

    def route_name(self, route: str) -> str:
        """Name that passengers know a route by."""
        return self.plan.legs.route_names[self.plan.legs.route_ids.index(route)]

    def visits_of(self, variant: str) -> tuple[StopVisit, ...]:
        """Stop visits of all runs of a variant."""
        return tuple(visit for visit in self.visits if visit.variant == variant)

    def headways_of(self, variant: str) -> tuple[HeadwayRow, ...]:
        """Headways of all runs of a variant."""
        return tuple(row for row in self.headways if row.variant == variant)
