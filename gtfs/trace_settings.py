"""What counts as on the line, at a stop, off the route: the parameters of reading a trace."""

from dataclasses import dataclass

from gtfs.trace_kernels import Limits


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Parameters of reading a trace; the same for every feed unless a user says otherwise.

    Attributes
    ----------
    reorder_s
        Pings of a vehicle may come so much later than newer ones of it.
    duplicate_s, speed_mps
        A ping so soon after the one before says nothing new; one that was reached faster is a mistake.
    moving_mps
        Below this speed a heading is noise.
    noise_m
        Standard deviation of positions around the line.
    detour_m
        Scale of what the way along the line may differ from the way as the crow flies between two pings.
    slack_m
        Added to what a vehicle can have come.
    early_s
        So long before its departure a trip may leave its first stop; it may begin twice as early against its timetable.
    bridge_s
        Nothing is said about what happened between pings so far apart.
    zone_m
        A vehicle arrives so far before a stop and has left it so far beyond.
    dwell_s, run_mps
        What a vehicle stands at a stop that lies between two pings, as far as there is time for it at such a speed.
    known_s
        Pings farther apart do not tell when a vehicle was where between them.
    off_route_m, off_route_s, back_m
        A vehicle so far from its line for two pings, or for so long while it moves, has left it; two pings within
        ``back_m`` bring it back.
    skip_m
        A stop passed off the line and never nearer was skipped.
    layover_s, still_m
        Standing so long at a terminal is a layover; a vehicle stands while it stays within ``still_m``.
    stuck_s, stuck_m
        On its way a vehicle that comes less than ``stuck_m`` in ``stuck_s`` makes no progress.
    silent_s
        A vehicle on a trip not heard of for so long is stale.
    """

    reorder_s: float = 60.0
    duplicate_s: float = 5.0
    speed_mps: float = 31.3
    moving_mps: float = 1.5
    noise_m: float = 10.0
    detour_m: float = 50.0
    slack_m: float = 50.0
    early_s: float = 300.0
    bridge_s: float = 1800.0
    zone_m: float = 30.0
    dwell_s: float = 15.0
    run_mps: float = 12.5
    known_s: float = 120.0
    off_route_m: float = 60.0
    off_route_s: float = 30.0
    back_m: float = 40.0
    skip_m: float = 75.0
    layover_s: float = 120.0
    still_m: float = 25.0
    stuck_s: float = 480.0
    stuck_m: float = 60.0
    silent_s: float = 300.0

    @property
    def limits(self) -> Limits:
        """The form that kernels take."""
        return Limits(**{name: float(getattr(self, name)) for name in Limits._fields})
