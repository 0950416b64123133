"""The report's part on buses: shares and percentiles worked by hand, names kept text, figures drawn whole."""

import math
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from networks.netxml import read_network
from scenarios.caveats import caveats
from scenarios.compare import compare
from scenarios.report import render_report
from scenarios.transit_content import TransitContent
from scenarios.transit_views import on_time_words, transit_views
from scenarios.trip_lines import draw_trip_lines
from sim.transit_account import PatternRow
from sim.transit_plan import PlannedCalls, PlannedLegs, PlannedWays, TransitPlan
from sim.transit_run import TransitRun
from sim.transit_tables import HeadwayRow, StopVisit, TransitMeasures
from tests.made_up import study, typed
from tests.test_report import HOSTILE, Page

NOWHERE = np.empty(0, dtype=np.int32)
NEVER = np.empty(0)
TIMEPOINT = True


def plan(name: str = "10") -> TransitPlan:
    """Two trips of one pattern over three stops, ten minutes apart; the second begins at its second stop."""
    legs = PlannedLegs(
        vehicle=np.array([0, 1], dtype=np.int32),
        trip_ids=("t1", "t2"),
        scheduled_trip_ids=("t1", "t2"),
        service_dates=("2026-05-13",) * 2,
        route_ids=("r", "r"),
        route_names=(name, name),
        direction=np.zeros(2, dtype=np.int32),
        way=np.zeros(2, dtype=np.int32),
        pattern_ids=("p", "p"),
        number=np.zeros(2, dtype=np.int32),
        call_start=np.array([0, 3, 5], dtype=np.int32),
    )
    calls = PlannedCalls(
        stop_ids=("a", "b", "c", "b", "c"),
        stop_names=(name, "b", name, "b", name),
        bus_stops=("a", "b", "c", "b", "c"),
        stop_sequence=np.array([1, 2, 3, 2, 3], dtype=np.int32),
        way_m=np.array([0.0, 600.0, 1500.0, 0.0, 900.0]),
        arrival_s=np.array([25200.0, 25320.0, 25500.0, 25920.0, 26100.0]),
        departure_s=np.array([25200.0, 25335.0, 25500.0, 25935.0, 26100.0]),
        timepoint=np.ones(5, dtype=np.bool_),
        is_interpolated=np.zeros(5, dtype=np.bool_),
        is_origin=np.array([True, False, False, False, False]),
        is_end=np.array([False, False, True, False, True]),
    )
    ways = PlannedWays(np.zeros(3, dtype=np.int32), NOWHERE, NOWHERE, NEVER, NOWHERE, NEVER, NEVER)
    return TransitPlan(date(2026, 5, 13), "Europe/Berlin", ("t1", "t2"), legs, calls, ways)


def visit(variant: str, hour: int, deviation_s: float, punctuality: str) -> StopVisit:
    """A visit scheduled at half past the hour."""
    scheduled = f"2026-05-13T{hour:02d}:30:00+02:00"
    return StopVisit(
        variant, 1, "2026-05-13", "t1", 1, 1, "p", "r", 0, "t1", "a", TIMEPOINT, scheduled, scheduled, "", "", math.nan,
        0.0, deviation_s, deviation_s, deviation_s, punctuality, "observed", "Scheduled",
    )  # fmt: skip


def visits() -> tuple[StopVisit, ...]:
    """As shipped: deviations 0 to 400 by hundreds and a visit that is missing; smart: one visit, early."""
    late = [visit("as shipped", 7, 100.0 * step, "late" if step > 3 else "on time") for step in range(5)]
    missing = visit("as shipped", 8, math.nan, "missing")
    return (*late, missing, visit("as shipped", 8, math.nan, "not due"), visit("smart", 7, -90.0, "early"))


def headway(headway_s: float, scheduled_s: float) -> HeadwayRow:
    return HeadwayRow("as shipped", 1, "r", 0, "a", "t1", "", headway_s, scheduled_s, headway_s < 150, gap=False)


def measures(variant: str, seed: int, on_time_share: float) -> TransitMeasures:
    """A run of which only the share on time is known."""
    shares = on_time_share, *[math.nan] * 7
    return TransitMeasures(variant, seed, 50, 50, *shares, 0, math.nan, "", *[math.nan] * 3)


def pattern(**changes: object) -> PatternRow:
    """A pattern that keeps its timetable."""
    row = PatternRow(
        "p", "r", "10", 0, "bus", 2, "", 1500.0, 1500.0, 1.0, 1.0, 1.0, 2.0, 0.0, 0.0, 1, 3, 3, 3, 300.0, 200.0, 0.0,
        0.8, 1.0, "",
    )  # fmt: skip
    return replace(row, **changes)


def run() -> TransitRun:
    """The first trip is a minute late, the second two."""
    times_s = np.array([25260.0, 25395.0, 25560.0, 26040.0, 26220.0])
    return TransitRun(
        end_s=28800.0,
        arrival_s=times_s,
        departure_s=times_s,
        due=np.ones(5, dtype=np.bool_),
        sample_leg=np.array([0, 0, 0, 1, 1], dtype=np.int32),
        sample_time_s=times_s,
        sample_way_m=np.array([0.0, 600.0, 1500.0, 0.0, 900.0]),
        sample_deviation_s=np.array([60.0, 60.0, 60.0, 120.0, 120.0]),
    )


def transit(**changes: object) -> TransitContent:
    """Buses of two variants."""
    found = TransitContent(
        feed="buses.zip",
        service_date="2026-05-13",
        on_time="default",
        is_synthetic=True,
        patterns=(pattern(), pattern(pattern_id="q", kept_share=0.5, reason="signals")),
        measures=(),
        visits=visits(),
        headways=(headway(600.0, 600.0), headway(900.0, 600.0), headway(100.0, 600.0)),
        plan=plan(),
        traces={"as shipped": (1, run()), "smart": (1, run())},
    )
    return replace(found, **changes)


@pytest.fixture(scope="module")
def network(adlershof):
    return read_network(adlershof)


def with_buses(network, **changes):
    return study(network, delays_s=(("as shipped", 80.0), ("smart", 60.0)), transit=transit(**changes))


def test_missing_visits_count_as_due_and_never_as_on_time(network):
    shipped, smart = transit_views(with_buses(network)).punctuality
    assert shipped.due == "6"
    assert [typed(share) for share in shipped.shares] == ["67 %", "0 %", "17 %", "17 %"]
    assert shipped.missing == "1"
    assert [typed(share) for share in smart.shares] == ["0 %", "100 %", "0 %", "0 %"]


def test_percentiles_of_deviation_by_hand(network):
    """0, 100, 200, 300, 400: a tenth of the way lies at 40, nine tenths at 360."""
    shipped, smart = transit_views(with_buses(network)).punctuality
    assert shipped.deviations == ("+40", "+200", "+360")
    assert [typed(value) for value in smart.deviations] == ["-90"] * 3


def test_differences_are_those_of_pairs_and_shares_are_in_per_cent(network):
    """On time 0.50, 0.54 and 0.60, 0.68: differences 10 and 14 points, mean 12, t(1; 0.975) x 2 = 25.4."""
    rows = [
        measures(name, seed, share)
        for name, shares in (("as shipped", (0.5, 0.54)), ("smart", (0.6, 0.68)))
        for seed, share in enumerate(shares, start=1)
    ]
    content = with_buses(network, measures=tuple(rows))
    content = replace(content, comparisons=compare(content.runs, content.junctions, ("as shipped", "smart"), rows))
    (table,) = transit_views(content).differences
    row = table.rows[0]
    assert (row.label, row.unit, row.before, row.after) == ("calls on time, of those due", "%", "52", "64")
    assert (row.difference, typed(row.bounds)) == ("+12", "-13 to +37")
    text = Page(render_report(content, ())).text
    assert "calls on time, of those due (%) 52 64 +12 -13 to +37" in text


def test_hours_are_those_of_the_timetable(network):
    seven, eight = transit_views(with_buses(network)).hours
    assert (seven.route, seven.hour, eight.hour) == ("10", "07:00", "08:00")
    assert (seven.cells[0].median, seven.cells[0].span, typed(seven.cells[0].on_time)) == (
        "+200",
        "+40 to +360",
        "80 %",
    )
    assert (typed(eight.cells[0].median), typed(eight.cells[0].on_time)) == ("?", "0 %")
    assert (typed(eight.cells[1].median), typed(eight.cells[1].on_time)) == ("?", "?")


def test_regularity_by_hand(network):
    """Headways off by 0, 300, -500: their deviation is 330 s, over 600 s. Wait: sum h^2 / 2 sum h = 369, not 300 s."""
    (row,) = transit_views(with_buses(network)).regularity
    cell = row.cells[0]
    assert (cell.cv, cell.service, cell.excess_wait, typed(cell.bunched)) == ("0.55", "E", "+69", "33 %")
    assert (typed(row.cells[1].cv), row.cells[1].service) == ("?", "")


def test_what_no_bus_can_keep_is_told_with_its_reason(network):
    views = transit_views(with_buses(network))
    (row,) = views.unkept
    assert (row.pattern, typed(row.kept), row.reason) == ("q", "50 %", "red lights take more time than it has to spare")
    text = Page(render_report(with_buses(network), ())).text
    assert "cannot be kept on empty streets: 1 of 2 patterns" in text
    kept = Page(render_report(with_buses(network, patterns=(pattern(),)), ())).text
    assert "On empty streets every pattern keeps its timetable." in kept


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("default", "60 s early to 300 s late"),
        ("-30,120", "30 s early to 120 s late"),
        ("30,120", "30 s late to 120 s late"),
    ],
)
def test_rules_in_words(rule, words):
    assert typed(on_time_words(rule)) == words


def test_a_made_up_timetable_is_called_so_wherever_it_shows(network):
    content = with_buses(network)
    assert "<strong>Synthetic timetable.</strong>" in render_report(content, ())
    assert "synthetic timetable" in content.synthetic_note
    assert "Synthetic timetable" in {caveat.title for caveat in caveats(content) if caveat.is_strong}
    real = with_buses(network, is_synthetic=False)
    assert "ynthetic timetable" not in render_report(real, ()) + real.synthetic_note


def test_what_limits_a_comparison_with_a_timetable_is_told(network):
    found = {caveat.title: typed(caveat.text) for caveat in caveats(with_buses(network, dwell_s=12.0))}
    assert "stands at a stop for 12 s" in found["Passengers are not simulated"]
    assert "Deviation on simulated streets" in found
    assert "Timetables that no bus can keep" in found
    assert "Interpolated times" not in found
    whole = plan()
    blank = replace(whole.calls, is_interpolated=np.array([False, True, False, True, False]))
    text = {caveat.title: caveat.text for caveat in caveats(with_buses(network, plan=replace(whole, calls=blank)))}
    assert "at 40 % of the calls" in text["Interpolated times"]
    assert not {"Interpolated times", "Deviation on simulated streets"} & {row.title for row in caveats(study(network))}


def test_without_buses_nothing_is_said_of_them(network):
    text = Page(render_report(study(network), ())).text
    assert "timetable" not in text
    assert draw_trip_lines(Path("nowhere"), study(network)) == ()


def test_lines_are_drawn_whole_and_the_same_each_time(network, tmp_path):
    content = with_buses(network)
    (first,), (second,) = (draw_trip_lines(tmp_path / name, content) for name in "ab")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert imread(first.path).shape[1] == 1440
    assert "data:image/png" in render_report(content, (first,))


def test_a_trip_that_begins_on_the_way_lies_where_it_belongs(network, tmp_path):
    """Both trips end at the last stop, at one height; the second covers 900 of the 1500 m."""
    content = with_buses(network)
    (drawing,) = draw_trip_lines(tmp_path, content)
    picture = imread(drawing.path)[..., :3]
    blue = np.all(np.abs(picture - np.array([0, 0x72, 0xB2]) / 255) < 0.12, axis=2)
    rows, columns = np.nonzero(blue[:700, :1100])
    present = np.unique(columns)
    split = present[np.argmax(np.diff(present))]
    first, second = rows[columns <= split], rows[columns > split]
    assert abs(int(first.min()) - int(second.min())) < 5
    assert second.max() - second.min() == pytest.approx(0.6 * (first.max() - first.min()), rel=0.05)


def test_names_from_hostile_feeds_stay_text(network, tmp_path):
    patterns = (pattern(pattern_id=HOSTILE, route=HOSTILE, kept_share=math.nan, reason=HOSTILE),)
    content = with_buses(network, feed=HOSTILE, plan=plan(HOSTILE), patterns=patterns)
    drawings = draw_trip_lines(tmp_path, content)
    text = render_report(content, drawings)
    ordinary = render_report(with_buses(network), drawings)
    assert {tag for tag, _ in Page(text).tags} == {tag for tag, _ in Page(ordinary).tags}
    assert "<script" not in text
    assert "\u202e" not in text
