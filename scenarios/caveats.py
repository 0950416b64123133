"""What limits a study, said of this study: what was made up, what was left out, what a simulation cannot know."""

from collections.abc import Iterator
from dataclasses import dataclass

from scenarios.before_and_after import before_and_after
from scenarios.compare import FINISHED, NETWORK, PAIRS_FOR_A_CLAIM
from scenarios.content import ReportContent
from scenarios.numerals import number
from scenarios.transit_content import TransitContent
from scenarios.wording import counted, run_accounts

MANY = 5
"""From so many intervals on, it is told that some exclude zero by chance."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """What a reader has to know before using a result; a strong one changes what the result means."""

    title: str
    text: str
    is_strong: bool = False


def _drivers(content: ReportContent) -> Caveat:
    if content.drivers_run_red:
        return Caveat(
            "Some simulated drivers run red",
            "How many and for how long is an assumption of the scenario, not a count at these junctions. Compare "
            "variants under it, and do not read its collisions as accidents.",
        )
    return Caveat(
        "Simulated drivers obey",
        "They do not run a red light, look at a telephone or misjudge a gap as people do. Yellow and all-red times "
        "therefore look like pure loss in the figures. They are not: they are kept as rules.",
    )


def caveats(content: ReportContent) -> tuple[Caveat, ...]:
    """Give what limits this study, the strong points first."""
    transit = _about_transit(content.transit) if content.transit is not None else ()
    points = (*_about_inputs(content), *_about_runs(content), *transit, *_about_reading(content))
    return tuple(sorted(points, key=lambda caveat: not caveat.is_strong))


def _about_inputs(content: ReportContent) -> Iterator[Caveat]:
    if content.demand.is_synthetic:
        yield Caveat(
            "Synthetic demand",
            "The traffic was made by a generator, not counted in the streets. The study shows how the lights compare "
            "under such traffic; it does not forecast delays in this city.",
            is_strong=True,
        )
    if content.crashes is not None and content.crashes.is_synthetic:
        yield Caveat(
            "Synthetic accident records",
            "The accident records were made by a generator. They show how the method works and say nothing about where "
            "accidents happen in this city.",
            is_strong=True,
        )
    if content.transit is not None and content.transit.is_synthetic:
        yield Caveat(
            "Synthetic timetable",
            "The bus lines and their timetable were made up. The study shows how lights act on such buses; it says "
            "nothing about those that run in this city.",
            is_strong=True,
        )
    if content.passengers is not None and content.passengers.is_synthetic:
        yield Caveat(
            "Synthetic passengers",
            "How many passengers come to each stop was made up. The study shows how the way of paying acts on such "
            "passengers; it does not say how many board in this city.",
            is_strong=True,
        )
    if content.clearance == "as-shipped":
        yield Caveat(
            "Clearance times as shipped",
            "Yellow and all-red times are those of the signal programs as shipped, not raised to the safety rule. "
            "Short clearance times lower delay at the cost of safety. Such results serve to compare with published "
            "work, not to run lights.",
            is_strong=True,
        )
    if content.chosen_by == "hotspots":
        yield Caveat(
            "Regression to the mean",
            before_and_after(content.hotspot_method),
        )


def _about_runs(content: ReportContent) -> Iterator[Caveat]:
    accounts = run_accounts(content)
    if accounts:
        yield Caveat("Runs that failed or stood still", " ".join(accounts), is_strong=True)
    finished = [run for run in content.runs if run.status == FINISHED]
    violations = sum(run.monitor_violations for run in finished)
    if violations:
        yield Caveat(
            "Conflicting greens",
            f"The conflict monitor found {counted(violations, 'conflict')}: movements that cross had protected green "
            "at once. Results with such greens must not be used.",
            is_strong=True,
        )
    outside = max((run.never_inserted / run.scheduled for run in finished if run.scheduled), default=0.0)
    if outside:
        yield Caveat(
            "Vehicles that never entered",
            f"In the worst run {number(100 * outside)} % of the vehicles found no room to enter the network before "
            "the end. The delay per scheduled vehicle counts their wait up to the end; means per vehicle on the road "
            "leave them out and look better than they should.",
        )
    removed = sum(run.teleports for run in finished)
    if content.teleport_s > 0:
        yield Caveat(
            "Removed vehicles",
            f"Vehicles that stood for {number(content.teleport_s)} s were taken out and put back farther on, "
            f"{counted(removed, 'time')} in all runs together. A real street does not dissolve its jams so.",
            is_strong=removed > 0,
        )


def _about_transit(transit: TransitContent) -> Iterator[Caveat]:
    if any(row.reason for row in transit.patterns):
        yield Caveat(
            "Timetables that no bus can keep",
            "Some patterns are not on time on empty streets either. Their delay says more about the timetable, the "
            "stops or the streets of the model than about the lights.",
        )
    yield Caveat(
        "Passengers are not simulated",
        f"A bus stands at a stop for {number(transit.dwell_s)} s, or somewhat less where its timetable leaves no room, "
        "and at timepoints until it may go. That crowds make a late bus later is not in the model, so real buses bunch "
        "more than these.",
    )
    yield Caveat(
        "Deviation on simulated streets",
        "Speed and time at stops were fitted so that buses keep their timetable on empty streets as well as they can. "
        "Deviation shows what traffic and lights do to such buses; it is no measure of how late they are in this city.",
    )
    blank_share = float(transit.plan.calls.is_interpolated.mean())
    if blank_share:
        yield Caveat(
            "Interpolated times",
            f"The feed leaves the time blank at {number(100 * blank_share, 0)} % of the calls. There a bus is compared "
            "with a time interpolated by distance, and does not wait if it is early: early and late are tendencies "
            "there, no promise broken.",
        )


def _about_reading(content: ReportContent) -> Iterator[Caveat]:
    pairs = [row.pairs for row in content.comparisons if row.scope == NETWORK]
    if pairs and min(pairs) < PAIRS_FOR_A_CLAIM:
        yield Caveat(
            "Few runs",
            f"Results of fewer than {PAIRS_FOR_A_CLAIM} paired runs are indicative: run more before a decision.",
        )
    intervals = len(content.places) * len(content.challengers)
    if intervals >= MANY:
        yield Caveat(
            "Many comparisons",
            f"Delay at single junctions was compared {counted(intervals, 'time')}. Where nothing changes, one 95 % "
            f"interval in twenty still excludes zero: of these, up to about {number(max(1, round(intervals / 20)))}. "
            "Look at the pattern, not at one row.",
        )
    yield Caveat(
        "Less delay is not more safety",
        "No accident is simulated here, and lights that lower delay can raise the number of conflicts between "
        "vehicles. Collisions and emergency brakings in the tables come from a driver model and warn of trouble; "
        "they are no accident rates.",
    )
    yield _drivers(content)
    yield Caveat(
        "A model of the street",
        "Before a decision, compare the simulated traffic with counts and travel times of the real streets.",
    )
