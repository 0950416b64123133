"""TIDES tables of a replay worked out on paper: three trips of a small feed, of which one never came."""

import csv
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pyarrow.parquet as pq
import pytest

from gtfs.coverage import coverage
from gtfs.due_calls import due_calls
from gtfs.feed import read_feed
from gtfs.headway_table import headways_table
from gtfs.on_time import ON_TIME_RULES
from gtfs.performed_trips import PerformedTrip, performed_trips
from gtfs.replay import Matched
from gtfs.replay_result import ReplayResult, performed_ids, visit_headways
from gtfs.service_events import Kind, events_of, joined_events
from gtfs.stop_visits import StopVisits
from gtfs.tides import stop_visits_table, trips_performed_table
from gtfs.trace_kernels import MATCHED, NO_TRIP, OFF_ROUTE
from gtfs.trace_plan import day_number, trace_plan
from gtfs.trip_claims import Evidence
from networks.faults import Notice
from networks.network import NONE
from scenarios.replay_tables import write_tables
from tests.test_timetable import CALLS, written

SUNDAY = date(2026, 3, 8)
"""Clocks go forward at 02:00: moments before have the offset -05:00, the timetable's all -04:00."""

TRIPS = (
    "route_id,service_id,trip_id,direction_id,block_id\n"
    "12,daily,t1,0,b1\n12,daily,t2,0,b2\n12,daily,t3,0,\n7,friday,t9,,\n"
)
LATER = "".join(
    f"{trip},{hour}:{minute + shift:02d}:00,{hour}:{minute + shift:02d}:00,{stop},{number}\n"
    for trip, hour, shift in (("t1", 8, 0), ("t2", 8, 20), ("t3", 8, 40), ("t9", 9, 0))
    for number, (stop, minute) in enumerate((("a", 0), ("b", 5), ("d", 15)), start=1)
)
FIRST_S = 1772971200.0
COVERED = coverage(np.array([[int(FIRST_S // 60) - 1440, int(FIRST_S // 60) + 1440]]))
"""08:00 on that day, in epoch seconds."""

X = np.nan
# Arrival and departure as seconds after 08:00; t1 runs 2 minutes late and its end is not known, t2 left b out.
SEEN = {
    "t1": ((X, 120.0), (400.0, 430.5), (X, X)),
    "t2": ((1100.0, 1215.0), (X, X), (1980.0, X)),
    "t9": ((X, X), (X, X), (X, X)),
}
GAPS = {"t1": ((X, 30.0), (20.0, 20.0), (300.0, X)), "t2": ((10.0, 10.0), (X, X), (60.0, X)), "t9": ((X, X),) * 3}
QUALITY = {"t1": (2, 1, 0), "t2": (2, 0, 1), "t9": (0, 0, 0)}
SKIPPED = {"t1": (0, 0, 0), "t2": (0, 1, 0), "t9": (0, 0, 0)}


def column(values, place):
    return np.array([pair[place] for trip in ("t1", "t2", "t9") for pair in values[trip]], dtype=np.float64)


def flat(values, dtype):
    return np.array([value for trip in ("t1", "t2", "t9") for value in values[trip]], dtype=dtype)


def paper_plan(folder, **tables):
    tables = {"trips": TRIPS, "stop_times": CALLS + LATER} | tables
    return trace_plan(read_feed(written(folder, **tables)))


def paper_result(folder, vehicles=("bus 7", "bus 9"), **tables):
    """Buses 7 and 9 drive t1 and t2, nobody t3; bus 9 also drives t9, which runs on Fridays alone."""
    plan, day = paper_plan(folder, **tables), day_number(SUNDAY)
    ids = plan.timetable.trips.ids
    trip = {name: ids.index(name) for name in ids}
    performed = performed_trips(
        [
            PerformedTrip(0, trip["t1"], day, Evidence.TRIP_ID),
            PerformedTrip(1, trip["t2"], day, Evidence.BLOCK),
            PerformedTrip(1, trip["t9"], day, Evidence.TRIP_ID),
        ]
    )
    call = np.concatenate([np.arange(3) + plan.calls.start[one.trip] for one in performed])
    visits = StopVisits(
        performed=np.repeat(np.arange(3, dtype=np.int32), 3),
        start=np.array([0, 3, 6, 9], dtype=np.int32),
        call=call.astype(np.int32),
        scheduled_arrival_s=plan.origin_s(day) + plan.calls.arrival_s[call],
        scheduled_departure_s=plan.origin_s(day) + plan.calls.departure_s[call],
        arrival_s=FIRST_S + column(SEEN, 0),
        departure_s=FIRST_S + column(SEEN, 1),
        arrival_until_s=FIRST_S + column(SEEN, 0),
        departure_until_s=FIRST_S + column(SEEN, 1),
        arrival_gap_s=column(GAPS, 0),
        departure_gap_s=column(GAPS, 1),
        is_skipped=flat(SKIPPED, np.bool_),
        quality=flat(QUALITY, np.int8),
    )
    missing = [(trip["t3"], day)]
    headways, ahead = visit_headways(plan, performed, visits, missing, COVERED)
    return ReplayResult(
        plan=plan,
        rule=ON_TIME_RULES["default"],
        vehicles=vehicles,
        performed=performed,
        trip_ids=performed_ids(performed, vehicles, plan),
        visits=visits,
        headways=headways,
        ahead=ahead,
        missing=missing,
        pings=lambda: paper_pings(trip),
        events=paper_events(call),
        counts={"read": 12, "duplicate": 3, "jump": 1},
        notices=(Notice("AVL_RANGE", "warning", "<b>pings.csv", 7, "latitude", "91", "Send degrees", 2),),
    )


def paper_pings(trip):
    """Four of bus 7 on t1, three of bus 9 on t2 of which two are east of the line, one that serves nothing."""
    performed = np.array([0, 0, 0, 0, 1, 1, 1, NONE], dtype=np.int32)
    found = np.array([MATCHED] * 4 + [MATCHED, OFF_ROUTE, OFF_ROUTE, NO_TRIP], dtype=np.int8)
    time_s = FIRST_S + np.array([100.0, 130, 390, 440, 1200, 1400, 1500, 1600])
    way_m = np.array([0.0, 200, 1000, 1200, 0, X, X, X])
    return Matched(
        vehicle=np.array([0] * 4 + [1] * 4, dtype=np.int32),
        performed=performed,
        trip=np.array([trip["t1"]] * 4 + [trip["t2"]] * 3 + [NONE], dtype=np.int32),
        time_s=time_s,
        clock_s=time_s - FIRST_S + 8 * 3600,
        lon=np.array([-74.0] * 5 + [-73.99, -73.99, -74.0]),
        lat=np.array([40.0, 40.002, 40.009, 40.011, 40.0, 40.008, 40.012, 40.02]),
        speed_mps=np.full(8, X),
        way_m=way_m,
        off_m=np.array([3.0, 3, 3, 3, 3, 850, 855, X]),
        deviation_s=np.where(np.isfinite(way_m), 120.0, X),
        found=found,
    )


def paper_events(call):
    off_s = FIRST_S + 1400, FIRST_S + 1500
    since_s, until_s = off_s
    return joined_events(
        [
            one_event(
                Kind.OFF_ROUTE, "2 pings off", time_s=until_s, value=855, threshold=60, since_s=since_s, until_s=until_s
            ),
            one_event(
                Kind.SKIPPED_STOP, "passed farther off", time_s=until_s, call=call[4], threshold=75, since_s=until_s
            ),
            one_event(Kind.BUNCHED, "too near", time_s=FIRST_S + 1600, call=call[4], value=20, threshold=300, other=0),
        ]
    )


def one_event(kind, rule, **columns):
    return events_of(kind, rule, **{name: [value] for name, value in columns.items()}, performed=1)


def rows(table, *names):
    """Rows of a table as tuples of the columns wanted."""
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_every_call_that_was_due_has_a_row(tmp_path):
    result = paper_result(tmp_path)
    table = stop_visits_table(result, due_calls(result))
    assert rows(table, "service_date", "trip_id_performed", "trip_stop_sequence", "stop_id") == [
        ("2026-03-08", trip, number, stop)
        for trip in ("t1", "t2", "t3", "t9")
        for number, stop in ((1, "a"), (2, "b"), (3, "d"))
    ]
    assert rows(table, "vehicle_id", "route_id", "direction_id", "schedule_relationship", "quality", "punctuality") == [
        ("bus 7", "12", 0, "Scheduled", "observed", "on time"),
        ("bus 7", "12", 0, "Scheduled", "interpolated", "on time"),
        ("bus 7", "12", 0, "Scheduled", "unknown", "unknown"),
        ("bus 9", "12", 0, "Scheduled", "observed", "on time"),
        ("bus 9", "12", 0, "Skipped", "unknown", "missing"),
        ("bus 9", "12", 0, "Scheduled", "interpolated", "early"),
        (None, "12", 0, "Missing", "unknown", "missing"),
        (None, "12", 0, "Missing", "unknown", "missing"),
        (None, "12", 0, "Missing", "unknown", "missing"),
        ("bus 9", "7", None, "Added", "unknown", "unknown"),
        ("bus 9", "7", None, "Added", "unknown", "unknown"),
        ("bus 9", "7", None, "Added", "unknown", "unknown"),
    ]


def test_times_of_a_visit_are_seen_or_blank_and_never_the_plans(tmp_path):
    result = paper_result(tmp_path)
    table = stop_visits_table(result, due_calls(result))
    assert table["schedule_departure_time"][0].as_py() == "2026-03-08T08:00:00-04:00"
    times = "schedule_arrival_time", "schedule_departure_time", "actual_arrival_time", "actual_departure_time"
    assert [tuple(text and text[11:19] for text in row) for row in rows(table, *times)[:7]] == [
        ("08:00:00", "08:00:00", None, "08:02:00"),
        ("08:05:00", "08:05:00", "08:06:40", "08:07:11"),
        ("08:15:00", "08:15:00", None, None),
        ("08:20:00", "08:20:00", "08:18:20", "08:20:15"),
        ("08:25:00", "08:25:00", None, None),
        ("08:35:00", "08:35:00", "08:33:00", None),
        ("08:40:00", "08:40:00", None, None),
    ]


def test_deviation_is_actual_minus_scheduled_in_every_column(tmp_path):
    result = paper_result(tmp_path)
    table = stop_visits_table(result, due_calls(result))
    values = (
        "arrival_deviation_s",
        "departure_deviation_s",
        "deviation_s",
        "dwell",
        "arrival_gap_s",
        "departure_gap_s",
    )
    assert rows(table, *values) == [
        (None, 120.0, 120.0, None, None, 30.0),
        (100.0, 130.5, 130.5, 30.5, 20.0, 20.0),
        (None, None, None, None, 300.0, None),
        (-100.0, 15.0, 15.0, 115.0, 10.0, 10.0),
        (None, None, None, None, None, None),
        (-120.0, None, -120.0, None, 60.0, None),
        *[(None,) * 6] * 6,
    ]


def test_the_end_of_a_trip_is_judged_by_its_arrival(tmp_path):
    result = paper_result(tmp_path)
    table = stop_visits_table(result, due_calls(result))
    assert rows(table, "deviation_s", "punctuality")[5] == (-120.0, "early")


def test_distances_run_from_the_first_call_of_the_trip(tmp_path):
    result = paper_result(tmp_path)
    table = stop_visits_table(result, due_calls(result))
    # A degree of latitude measures 111,035 m at 40 degrees: b lies 0.01, d 0.04 degrees north of a.
    assert table["distance"].to_pylist()[:3] == pytest.approx([0.0, 1110.35, 4441.4], rel=1e-4)


def test_trips_performed_have_their_evidence(tmp_path):
    table = trips_performed_table(paper_result(tmp_path))
    assert rows(
        table, "trip_id_performed", "trip_id_scheduled", "vehicle_id", "block_id", "pattern_id", "trip_type"
    ) == [
        ("t1", "t1", "bus 7", "b1", "12:0:1", "In service"),
        ("t2", "t2", "bus 9", "b2", "12:0:1", "In service"),
        ("t9", "t9", "bus 9", None, "7:-:1", "In service"),
    ]
    assert rows(table, "trip_start_stop_id", "trip_end_stop_id", "schedule_relationship", "evidence") == [
        ("a", "d", "Scheduled", "trip id"),
        ("a", "d", "Scheduled", "block and time"),
        ("a", "d", "Added", "trip id"),
    ]
    assert rows(table, "pings", "pings_matched", "calls", "calls_known", "mean_deviation_s", "max_deviation_s") == [
        (4, 4, 3, 2, 125.25, 130.5),
        (3, 1, 3, 2, -52.5, 15.0),
        (0, 0, 3, 0, None, None),
    ]
    assert rows(table, "schedule_trip_start", "actual_trip_start", "schedule_trip_end", "actual_trip_end") == [
        ("2026-03-08T08:00:00-04:00", "2026-03-08T08:02:00-04:00", "2026-03-08T08:15:00-04:00", None),
        (
            "2026-03-08T08:20:00-04:00",
            "2026-03-08T08:20:15-04:00",
            "2026-03-08T08:35:00-04:00",
            "2026-03-08T08:33:00-04:00",
        ),
        ("2026-03-08T09:00:00-04:00", None, "2026-03-08T09:15:00-04:00", None),
    ]


def test_headways_of_departures_that_were_seen(tmp_path):
    table = headways_table(paper_result(tmp_path))
    assert rows(table, "stop_id", "trip_id_performed", "headway_s", "scheduled_headway_s", "bunched", "gap") == [
        ("a", "t1", None, None, False, False),
        ("a", "t2", 1095.0, 1200.0, False, False),
        ("b", "t1", None, None, False, False),
    ]


def written_table(folder, name):
    with (folder / name).open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_csv_and_parquet_hold_the_same(tmp_path):
    result = paper_result(tmp_path)
    write_tables([result], tmp_path / "out")
    for stem in ("stop_visits", "trips_performed", "headways"):
        text = written_table(tmp_path / "out", f"{stem}.csv")
        table = pq.read_table(tmp_path / "out" / f"{stem}.parquet")
        assert [list(row) for row in text] == [table.column_names] * table.num_rows
        for name in table.column_names:
            for cell, value in zip((row[name] for row in text), table[name].to_pylist(), strict=True):
                assert cell == "" if value is None else spoken(cell, value)


def spoken(cell, value):
    """Whether a cell of a CSV file says a value."""
    if isinstance(value, bool):
        return cell == str(value).lower()
    return float(cell) == value if isinstance(value, int | float) else cell == value


def test_parts_of_a_replay_make_the_tables_of_the_whole(tmp_path):
    whole = paper_result(tmp_path)
    write_tables([whole], tmp_path / "one")
    write_tables([part_of(whole, [0]), part_of(whole, [1, 2])], tmp_path / "two")
    for name in ("stop_visits.csv", "trips_performed.csv"):
        assert sorted((tmp_path / "one" / name).read_text().splitlines()) == sorted(
            (tmp_path / "two" / name).read_text().splitlines()
        )
    one, two = (json.loads((tmp_path / folder / "summary.json").read_text()) for folder in ("one", "two"))
    for measure in ("trips", "stop_visits", "on_time", "deviation_s", "events", "pings"):
        assert one[measure] == two[measure]


def part_of(result, performed):
    """The result of some performed trips; missing trips and pings without a trip come with the last one."""
    kept = np.isin(result.visits.performed, performed)
    number = {row: place for place, row in enumerate(performed)}
    visits = result.visits
    renumbered = np.array([number.get(row, NONE) for row in visits.performed[kept].tolist()], dtype=np.int32)
    columns = {
        name: getattr(visits, name)[kept]
        for name in StopVisits.__dataclass_fields__
        if name not in {"start", "performed"}
    }
    some = StopVisits(performed=renumbered, start=np.arange(len(performed) + 1, dtype=np.int32) * 3, **columns)
    is_last = 2 in performed
    pings = np.isin(result.matched.performed, performed) | (is_last & (result.matched.performed == NONE))
    matched = Matched(**{name: getattr(result.matched, name)[pings] for name in Matched.__dataclass_fields__})
    own = np.array([number.get(row, NONE) for row in matched.performed.tolist()], dtype=np.int32)
    missing = result.missing if is_last else ()
    trips = result.performed.take(np.array(performed))
    told = result.events.take(np.isin(result.events.performed, performed))
    renumbered = np.array([number[row] for row in told.performed.tolist()], dtype=int)
    headways, ahead = visit_headways(result.plan, trips, some, missing, COVERED)
    return replace(
        result,
        performed=trips,
        trip_ids=[result.trip_ids[row] for row in performed],
        visits=some,
        headways=headways,
        ahead=ahead,
        missing=missing,
        pings=lambda: replace(matched, performed=own),
        events=replace(
            told, performed=np.array([number[row] for row in told.performed.tolist()]), other=np.full(len(told), -1)
        ),
    )


def test_the_same_replay_gives_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        write_tables([paper_result(tmp_path)], tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == [
        "deviations.parquet",
        "events.jsonl",
        "headways.csv",
        "headways.parquet",
        "stop_visits.csv",
        "stop_visits.parquet",
        "summary.json",
        "trips_performed.csv",
        "trips_performed.parquet",
    ]
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_ids_that_look_like_csv_come_back(tmp_path):
    strange = 'bus "7", the\nold', "bus 9"
    write_tables([paper_result(tmp_path, vehicles=strange)], tmp_path / "out")
    vehicles = [row["vehicle_id"] for row in written_table(tmp_path / "out", "stop_visits.csv")]
    assert vehicles == [strange[0]] * 3 + [strange[1]] * 3 + [""] * 3 + [strange[1]] * 3


def test_events_tell_their_evidence(tmp_path):
    write_tables([paper_result(tmp_path)], tmp_path / "out")
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert events[0] == {
        "kind": "off route",
        "time": "2026-03-08T08:25:00-04:00",
        "vehicle_id": "bus 9",
        "trip_id_performed": "t2",
        "route_id": "12",
        "stop_id": None,
        "value": 855.0,
        "threshold": 60.0,
        "unit": "m",
        "rule": "2 pings off",
        "pings": ["2026-03-08T08:23:20-04:00", "2026-03-08T08:25:00-04:00"],
        "trip_id_ahead": None,
    }
    assert [(event["kind"], event["stop_id"], event["value"], event["trip_id_ahead"]) for event in events[1:]] == [
        ("skipped stop", "b", None, None),
        ("bunched", "b", 20.0, "t1"),
    ]


def test_a_summary_counts_missing_and_leaves_unknown_out_of_shares(tmp_path):
    write_tables([paper_result(tmp_path)], tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["service_dates"] == ["2026-03-08"]
    assert summary["trips"] == {
        "due": 4,
        "performed": 3,
        "evidence": {"trip id": 2, "block and time": 1},
        "missing": 1,
        "unjudged": 0,
        "added": 1,
    }
    assert summary["stop_visits"] == {
        "due": 12,
        "quality": {"observed": 2, "interpolated": 2, "unknown": 5},
        "skipped": 1,
    }
    # Known: 120, 130.5, 15 and -120 s, of which the last is early; skipped and never driven are missing.
    assert summary["on_time"]["all_stops"] == {
        "early": 1,
        "on_time": 3,
        "late": 0,
        "missing": 4,
        "unknown": 4,
        "judged": 8,
        "on_time_share": 0.375,
    }
    assert summary["deviation_s"]["all_stops"] == {"count": 4, "mean": 36.375, "p10": -120.0, "p50": 15.0, "p90": 130.0}
    assert summary["pings"] == {
        "read": 12,
        "left_out": 0,
        "duplicate": 3,
        "jump": 1,
        "matched": 5,
        "off_route": 2,
        "not_started": 0,
        "finished": 0,
        "no_trip": 1,
        "other_days": 0,
    }
    assert summary["events"] == {"bunched": 1, "off route": 1, "skipped stop": 1}
    assert summary["notices"][0]["count"] == 2
    assert summary["headways"]["all"]["headways"] == 1


def test_a_rule_without_a_bound_is_still_json(tmp_path):
    write_tables([replace(paper_result(tmp_path), rule=ON_TIME_RULES["mbta"])], tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["on_time_rule"] == {
        "name": "mbta",
        "bounds_s": {"origin": [0.0, 180.0], "middle": [-60.0, 360.0], "end": [None, 300.0]},
    }
    assert summary["on_time"]["all_stops"]["on_time"] == 4


@pytest.mark.parametrize("rule", ["default", "mbta"])
def test_sums_agree_with_the_table(tmp_path, rule):
    result = replace(paper_result(tmp_path), rule=ON_TIME_RULES[rule])
    table = stop_visits_table(result, due_calls(result))
    write_tables([result], tmp_path / "out")
    counts = json.loads((tmp_path / "out" / "summary.json").read_text())["on_time"]["all_stops"]
    words = table["punctuality"].to_pylist()
    assert [counts[name] for name in ("early", "on_time", "late", "missing", "unknown")] == [
        words.count(word) for word in ("early", "on time", "late", "missing", "unknown")
    ]
