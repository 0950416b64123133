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
        So long before its departure a trip may leave its first stop.
    bridge_s
        Nothing is said about what happened between pings so far apart; one so far ahead of all others is believed once
        a second one comes.
    tail_s
        So long after a vehicle named another trip it may still arrive at the last stops of the one before.
    zone_m
        A vehicle arrives so far before a stop and has left it so far beyond.
    dwell_s, run_mps
        What a vehicle stands at a stop that lies between two pings, as far as there is time for it at such a speed.
        No trip is begun farther along than it leads since the departure.
    known_s
        Pings farther apart do not tell when a vehicle was where between them.
    off_route_m, back_m
        A vehicle so far from its line for two pings while it moves has left it; two within ``back_m`` bring it back.
    skip_m
        A stop passed off the line and never nearer was skipped.
    layover_s, still_m
        Standing so long at a terminal is a layover; a vehicle stands while it stays within ``still_m``.
    stuck_s, stuck_m
        On its way a vehicle that comes less than ``stuck_m`` in ``stuck_s`` makes no progress.
    silent_s
        A vehicle on a trip not heard of for so long is stale.
    guess_pings, guess_m, guess_share
        A vehicle that names no trip of the feed gets one only by so many pings that lie along so much of the trip's
        line, so large a share of them on it.
    guess_late_s, guess_early_s, block_late_s
        No trip is given to a vehicle that would be later or earlier, or farther from the timetable where the trip is of
        the block that it is known to serve.
    rival_s
        Trips that begin or end so far from now are looked at beside it.
    late_scale_s, early_scale_s
        Means of what vehicles are late, and early: a trip counts as the likelier the less its lateness is in these.
    rival_odds
        Another trip that fits the ground as well has to be less likely by this much, in natural logarithms of odds.
    block_odds
        So much likelier is a trip of the block that the vehicle is known to serve.
    branch_m
        A trip fits the ground worse where it explains so much less of the way.
    begun_m
        A trip whose line begins here is a rival once the vehicle has come so far along it.
    look_m
        Candidates are looked at each time the vehicle has come so far.
    search_s
        So long pings wait for a trip; a vehicle that stands so long on a trip that was guessed has left it.
    end_m
        So near its last call a guessed trip ends where the vehicle leaves the line, or stands for a layover.
    lost_s
        A vehicle off the line of a trip that was guessed for so long has left it.
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
    tail_s: float = 300.0
    zone_m: float = 30.0
    dwell_s: float = 15.0
    run_mps: float = 12.5
    known_s: float = 120.0
    off_route_m: float = 60.0
    back_m: float = 40.0
    skip_m: float = 75.0
    layover_s: float = 120.0
    still_m: float = 25.0
    stuck_s: float = 480.0
    stuck_m: float = 60.0
    silent_s: float = 300.0
    guess_pings: int = 8
    guess_m: float = 800.0
    guess_share: float = 0.9
    guess_late_s: float = 600.0
    guess_early_s: float = 300.0
    block_late_s: float = 1200.0
    rival_s: float = 1800.0
    late_scale_s: float = 240.0
    early_scale_s: float = 120.0
    rival_odds: float = 3.0
    block_odds: float = 6.0
    branch_m: float = 500.0
    begun_m: float = 50.0
    look_m: float = 200.0
    search_s: float = 1800.0
    end_m: float = 200.0
    lost_s: float = 300.0

    @property
    def limits(self) -> Limits:
        """The form that kernels take."""
        return Limits(**{name: float(getattr(self, name)) for name in Limits._fields})
