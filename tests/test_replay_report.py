"""The report of a replay: what it says and shows, on paper and for names that mean harm."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread

from gtfs.due_calls import due_calls
from gtfs.headways import Headways, headway_adherence
from gtfs.on_time import ON_TIME_RULES, Punctuality
from gtfs.service_events import no_events
from gtfs.stop_visits import Quality
from gtfs.trace_kernels import MATCHED, NO_TRIP
from scenarios.drawing import Drawing
from scenarios.numerals import UNKNOWN
from scenarios.replay_detours import detours
from scenarios.replay_lines import busiest_lines
from scenarios.replay_report import add_simulated, render_replay, write_replay
from scenarios.replay_tally import LIMIT_S, percentiles_s, tally
from scenarios.replay_views import CountRow, Simulated, replay_views
from scenarios.replay_worst import bunched_pairs, wide_pairs, worst_trips
from tests.test_report import HOSTILE, Page
from tests.test_tides import FIRST_S, paper_result
from tests.test_timetable import TABLES


def tallied(*results):
    sums = tally(results[0])
    for result in results:
        sums.add(result, due_calls(result))
    return sums


def words_of(tally_, note=""):
    return replay_views(tally_, note)


def test_the_answer_names_its_rule_and_what_is_not_known(tmp_path):
    views = words_of(tallied(paper_result(tmp_path)))
    assert [sentence.replace("\N{NARROW NO-BREAK SPACE}", " ") for sentence in views.headlines] == [
        "3 trips of 2 vehicles were seen; 1 more is missing, though the trace covers their time.",
        (
            "38 % of 8 calls whose fate is known were on time (at timepoints alone 38 %), that is 60 s early to 300 s "
            "late: 12 % early, 0 % late, 50 % missing. 4 more calls cannot be judged."
        ),
        (
            "12 % of positions belong to no trip that could be told. Where vehicles name no trip, one that keeps to "
            "the timetable is told more easily, so these shares may flatter."
        ),
        "1 time a vehicle left its route and 1 stop was left out.",
    ]


def test_many_positions_without_a_trip_are_told_beside_the_shares(tmp_path):
    sums = tallied(paper_result(tmp_path))
    sums.found.clear()
    sums.found.update({MATCHED: 90, NO_TRIP: 10})
    assert not any("no trip" in sentence for sentence in words_of(sums).headlines)
    sums.found[NO_TRIP] = 30
    told = [sentence for sentence in words_of(sums).headlines if "no trip" in sentence]
    assert len(told) == 1
    assert told[0].replace("\N{NARROW NO-BREAK SPACE}", " ").startswith("25 % of positions belong to no trip")


def test_of_nothing_known_nothing_is_said(tmp_path):
    result = paper_result(tmp_path)
    blank = np.full(9, np.nan)
    visits = replace(
        result.visits,
        arrival_s=blank,
        departure_s=blank,
        is_skipped=np.zeros(9, np.bool_),
        quality=np.full(9, Quality.UNKNOWN, np.int8),
    )
    sums = tallied(replace(result, visits=visits, missing=(), events=no_events()))
    assert "Of no call is known when it was served, so nothing can be said of punctuality." in words_of(sums).headlines
    assert (words_of(sums).worst, worst_trips(result)) == ((), [])


def test_unknown_calls_are_a_row_of_their_own_and_never_on_time(tmp_path):
    rows = {row.name: row for row in words_of(tallied(paper_result(tmp_path))).routes}
    # Route 7 has trip t9 alone, of which nothing is known.
    assert (rows["7"].due, rows["7"].on_time, rows["7"].shares[-1]) == ("3", UNKNOWN, "100\N{NARROW NO-BREAK SPACE}%")
    assert rows["7"].deviations == (UNKNOWN, UNKNOWN, UNKNOWN)


@pytest.mark.parametrize("vehicles", [("synthetic-bus-7", "bus 9"), ("bus 7", "bus 9")])
def test_a_made_up_trace_says_so(tmp_path, vehicles):
    warnings = [caveat.title for caveat in words_of(tallied(paper_result(tmp_path, vehicles=vehicles))).warnings]
    assert ("Synthetic trace" in warnings) == vehicles[0].startswith("synthetic")


def test_a_note_stands_on_top_and_added_trips_are_told(tmp_path):
    warnings = {
        caveat.title: caveat.text for caveat in words_of(tallied(paper_result(tmp_path)), "From a drill").warnings
    }
    assert warnings["Note"] == "From a drill"
    assert warnings["Trips on days that are not theirs"].startswith("1 trip ran")


def test_the_report_is_one_safe_page_with_its_pictures(tmp_path):
    quoted = '"' + HOSTILE.replace('"', '""').replace("\x07", "") + '"'
    result = paper_result(tmp_path, vehicles=(HOSTILE, "bus 9"), stops=TABLES["stops"].replace("Bridge", quoted))
    write_replay([result], tmp_path / "out", HOSTILE)
    text = (tmp_path / "out" / "report.html").read_text()
    page = Page(text)
    write_replay([paper_result(tmp_path)], tmp_path / "ordinary", "Note")
    ordinary = Page((tmp_path / "ordinary" / "report.html").read_text())
    assert {tag for tag, _ in page.tags} == {tag for tag, _ in ordinary.tags}
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form", "a"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    sources = [attributes["src"] for _, attributes in page.tags if "src" in attributes]
    assert len(sources) == len(list((tmp_path / "out" / "figures").iterdir()))
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "{{ 7 * 7 }}" in page.text
    assert "http://" not in text
    assert "https://" not in text
    assert "\u202e" not in text
    assert "\x07" not in text


def test_figures_are_the_same_bytes_each_time(tmp_path):
    result = paper_result(tmp_path)
    for name in ("one", "two"):
        write_replay([result], tmp_path / name)
    pictures = sorted(path.name for path in (tmp_path / "one" / "figures").iterdir())
    assert pictures == [
        "replay_detours.png",
        "replay_heat_1.png",
        "replay_heat_2.png",
        "replay_hours.png",
        "replay_line_1.png",
        "replay_line_2.png",
        "replay_routes.png",
    ]
    for name in pictures:
        one, two = ((tmp_path / folder / "figures" / name).read_bytes() for folder in ("one", "two"))
        assert one == two
        assert np.ptp(imread(tmp_path / "one" / "figures" / name)) > 0
    assert (tmp_path / "one" / "report.html").read_bytes() == (tmp_path / "two" / "report.html").read_bytes()


def test_a_report_does_without_pictures(tmp_path):
    result = paper_result(tmp_path)
    text = render_replay(tallied(result), (), "")
    assert "data:image" not in text
    assert "On time, by route and by hour" in text


def test_a_detour_knows_the_stop_left_out(tmp_path):
    (found,) = detours(paper_result(tmp_path))
    assert (found.trip_id, found.vehicle_id, found.skipped) == ("t2", "bus 9", ("Bridge",))
    assert (found.begin_s, found.end_s, found.off_m) == (FIRST_S + 1400, FIRST_S + 1500, 855.0)
    assert (found.is_off.tolist(), found.longest) == ([False, True, True], slice(1, 3))
    # 0.01 degrees of longitude at 40 degrees north are 854 m; the line's origin lies amid its stops, at 40.02 degrees.
    assert found.pings_m[1].tolist() == pytest.approx([854.0, -0.012 * 111_035], rel=1e-3)


def test_pairs_stand_where_they_were_nearest(tmp_path):
    """Trip t2 leaves a 60 s behind t1 and so runs bunched there and nowhere else."""
    result = paper_result(tmp_path)
    headways = replace(
        result.headways, actual_s=np.array([np.nan, np.nan, np.nan, 60, np.nan, np.nan, np.nan, np.nan, np.nan])
    )
    near = replace(result, headways=headways)
    pairs = bunched_pairs(near)
    assert pairs.count == 1
    (pair,) = pairs.rows
    assert (pair.trip_id, pair.ahead_id, pair.vehicle_id, pair.ahead_vehicle_id) == ("t2", "t1", "bus 9", "bus 7")
    assert (pair.headway_s, pair.scheduled_s, pair.share, pair.stops) == (60.0, 1200.0, 0.05, 1)
    assert wide_pairs(near).count == 0
    far = replace(result, headways=replace(headways, actual_s=np.where(headways.actual_s == 60, 3000.0, np.nan)))
    assert (wide_pairs(far).count, bunched_pairs(far).count) == (1, 0)
    assert wide_pairs(far).rows[0].excess_s == 1800.0


def test_lines_are_drawn_for_each_route_and_direction(tmp_path):
    lines = busiest_lines(paper_result(tmp_path))
    assert [(line.route, line.performed.tolist(), line.stop_names[-1]) for line in lines] == [
        ("12", [0, 1], "Station"),
        ("7", [2], "Station"),
    ]


def test_regularity_from_sums_is_that_of_the_headways(tmp_path):
    result = paper_result(tmp_path)
    rng = np.random.default_rng(3)
    actual_s, scheduled_s = rng.uniform(0, 1500, (2, 9))
    actual_s[[0, 4]], scheduled_s[[1, 4, 7]] = np.nan, (np.nan, 0.0, np.nan)
    given = replace(result, headways=replace(result.headways, actual_s=actual_s, scheduled_s=scheduled_s))
    sums = tallied(given, given)
    # what nobody saw has no wait that could be held against the plan
    both = given.headways.comparable
    paired = Headways(np.where(both, actual_s, np.nan), np.where(both, scheduled_s, np.nan))
    for expected in headway_adherence(paired, given.visit_route):
        found = sums.headways.of_route(expected.group)
        assert (found.headways, found.bunched, found.gaps) == tuple(
            2 * value for value in (expected.headways, expected.bunched, expected.gaps)
        )
        assert found.level_of_service == expected.level_of_service
        for name in ("mean_actual_s", "mean_scheduled_s", "cv", "mean_wait_s", "excess_wait_s"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), nan_ok=True)


def test_percentiles_of_whole_seconds():
    spread = np.zeros(2 * LIMIT_S + 1, dtype=np.int64)
    assert np.isnan(percentiles_s(spread, (0.5,))).all()
    spread[LIMIT_S + np.array([-30, 0, 60, 90])] = 1
    assert percentiles_s(spread, (0.1, 0.5, 0.9)) == [-30.0, 0.0, 90.0]


def test_trips_far_off_come_first_early_or_late(tmp_path):
    result = paper_result(tmp_path)
    departure_s = result.visits.scheduled_departure_s + np.array([60, 60, 60, -300, -200, -100, 400, 0, np.nan])
    arrival_s = result.visits.scheduled_arrival_s + np.array([60, 60, 60, -300, -200, -100, 400, 0, np.nan])
    found = worst_trips(replace(result, visits=replace(result.visits, departure_s=departure_s, arrival_s=arrival_s)))
    # Of t9 two calls are known, too few to compare.
    assert [(row.trip_id, row.mean_off_s, row.mean_s, row.least_s, row.known) for row in found] == [
        ("t2", 200.0, -200.0, -300.0, 3),
        ("t1", 60.0, 60.0, 60.0, 3),
    ]


def test_a_rule_is_told_in_words(tmp_path):
    result = replace(paper_result(tmp_path), rule=ON_TIME_RULES["mbta"])
    assert "Massachusetts" in words_of(tallied(result)).on_time


def test_notices_are_shown_with_what_to_do(tmp_path):
    text = render_replay(tallied(paper_result(tmp_path)), (), "")
    assert "AVL_RANGE" in text
    assert "&lt;b&gt;pings.csv" in text
    assert "Send degrees" in text


def test_what_a_simulation_made_of_the_vehicles_stands_in_the_report_with_its_picture(tmp_path):
    written = write_replay([paper_result(tmp_path)], tmp_path / "out")
    before = Page((tmp_path / "out" / "report.html").read_text())
    picture = tmp_path / "into.png"
    picture.write_bytes((tmp_path / "out" / "figures" / "replay_hours.png").read_bytes())
    rows = (CountRow("driven whole", "7", ""), CountRow("not driven", "2", ""))
    simulated = Simulated("No vehicle fell behind its curve.", rows, ("They give way.",), "into")
    add_simulated(
        written, tmp_path / "out", "", simulated, Drawing(picture, "Real and simulated", "Each line is a bus.")
    )
    after = Page((tmp_path / "out" / "report.html").read_text())
    for words in (
        "in the simulation",
        "No vehicle fell behind its curve.",
        "driven whole",
        "They give way.",
        "is a bus",
    ):
        assert words in after.text
        assert words not in before.text
    pictures = [sum("src" in attributes for _, attributes in page.tags) for page in (before, after)]
    assert pictures[1] == pictures[0] + 1


def test_trips_of_which_the_trace_cannot_tell_are_counted_apart(tmp_path):
    result = paper_result(tmp_path)
    views = words_of(tallied(replace(result, missing=(), unjudged=result.missing)))
    assert "Of 1 other trip that nobody was seen on the trace cannot tell whether it ran." in views.headlines[0]
    assert "missing" not in views.headlines[0]
    assert [row.count for row in views.trips if row.words.startswith(("missing", "not judged"))] == ["0", "1"]


def test_no_route_is_called_the_worst_on_little_evidence(tmp_path):
    sums = tallied(paper_result(tmp_path))
    sums.fate[:] = 0
    sums.fate[0, 8, 0, [Punctuality.ON_TIME, Punctuality.LATE]] = 300, 100
    sums.fate[1, 8, 0, [Punctuality.ON_TIME, Punctuality.LATE]] = 20, 79
    sums.known_trips.update({0: 30, 1: 30})

    def worst():
        return [words for words in words_of(sums).headlines if "worst" in words]

    assert not worst()
    sums.fate[1, 8, 0, Punctuality.LATE] = 80
    (words,) = worst()
    assert "Of the 2 routes with 100 known calls of 10 trips or more, 7 was worst: 20" in words
    sums.known_trips[1] = 9
    assert not worst()


def test_lines_without_a_shape_are_told(tmp_path):
    sums = tallied(paper_result(tmp_path))
    for count in (0, 2):
        sums.shapeless = count
        told = {caveat.title: caveat.text for caveat in words_of(sums).warnings}
        assert told.get("Lines without a shape", "").startswith("Of 2 trips the feed") == bool(count)
