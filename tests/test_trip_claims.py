"""What vehicles say they serve, and what that can mean: each way of telling by itself, and in its turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gtfs.trip_claims import SEPARATORS, Claim, ClaimBook, Evidence, Meaning, candidate_rows, named_day, prefixes
from tests.paper_traces import CALLS, calls, day_of, paper_plan

IDS = ["2181:565:1", "2181:565:2", "2199:565:1", "alone_7", "alone", "x", "y"]
BLOCKS = ["b1", "b1", "b2", "", "", "", ""]
ROUTES = ["12", "12", "12", "7", "7", "7", "7"]
STARTS_S = [28_800, 32_400, 28_800, 86_400 + 600, 3600, 36_000, 36_000]
NOBODY = Claim("", "", "", "")


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    rows = zip(ROUTES, IDS, BLOCKS, strict=True)
    trips = "route_id,service_id,trip_id,shape_id,block_id\n" + "".join(f"{r},daily,{i},way,{b}\n" for r, i, b in rows)
    times = CALLS + "".join(calls(i, s, s + 600) for i, s in zip(IDS, STARTS_S, strict=True))
    repeated = "trip_id,start_time,end_time,headway_secs,exact_times\ny,10:00:00,11:00:00,1200,1\n"
    return paper_plan(tmp_path_factory.mktemp("claims"), trips=trips, stop_times=times, frequencies=repeated)


@pytest.fixture(scope="module")
def book(plan):
    return ClaimBook(plan)


def told(plan, book, **words):
    """Ids and departures of the trips that words can mean, and by what."""
    meaning = book.look_up(Claim(**(dict.fromkeys(Claim.__slots__, "") | words)))
    trips = plan.timetable.trips
    return sorted(trips.ids[row] for row in meaning.trips), meaning.evidence.name


@pytest.mark.parametrize(
    ("words", "ids", "evidence"),
    [
        ({"trip": "2181:565:1"}, ["2181:565:1"], "TRIP_ID"),
        ({"trip": "alone"}, ["alone"], "TRIP_ID"),  # though another id begins with it
        ({"trip": "2199:566:9"}, ["2199:565:1"], "ID_PREFIX"),
        ({"trip": "2199"}, ["2199:565:1"], "ID_PREFIX"),
        ({"trip": "x.3"}, ["x"], "ID_PREFIX"),
        ({"trip": "2181:565:3"}, [], "NOTHING"),  # two trips begin like that
        ({"trip": "2181"}, [], "NOTHING"),
        ({"trip": "alone_8"}, [], "NOTHING"),  # alone and alone_7 both do
        ({"trip": "alon"}, [], "NOTHING"),
        ({"trip": "21"}, [], "NOTHING"),
        ({"trip": "2181:565:3", "route": "12", "start_time": "09:00:00"}, ["2181:565:2"], "ROUTE_AND_START"),
        ({"route": "12", "start_time": "08:00:00"}, ["2181:565:1", "2199:565:1"], "ROUTE_AND_START"),
        ({"route": "7", "start_time": "24:10:00"}, ["alone_7"], "ROUTE_AND_START"),
        ({"route": "7", "start_time": "00:10:00"}, [], "NOTHING"),
        ({"route": "12", "start_time": ""}, [], "NOTHING"),
        ({"route": "12", "start_time": "soon"}, [], "NOTHING"),
        ({"start_time": "08:00:00"}, [], "NOTHING"),
        ({"block": "b1"}, ["2181:565:1", "2181:565:2"], "BLOCK"),
        ({"block": "b1", "start_time": "09:00:00"}, ["2181:565:2"], "BLOCK"),
        ({"block": "b1", "trip": "x"}, ["x"], "TRIP_ID"),
        ({"block": "b9", "trip": "nobody", "route": "99", "start_time": "08:00:00"}, [], "NOTHING"),
        ({}, [], "NOTHING"),  # trips without a block are no block
        ({"trip": "y"}, ["y@10:00:00", "y@10:20:00", "y@10:40:00"], "TRIP_ID"),
        ({"trip": "y", "start_time": "10:20:00"}, ["y@10:20:00"], "TRIP_ID"),
        ({"trip": "y:1", "start_time": "10:20:00"}, ["y@10:20:00"], "ID_PREFIX"),  # one trip, though repeated
        ({"trip": "y", "start_time": "10:21:00"}, ["y@10:00:00", "y@10:20:00", "y@10:40:00"], "TRIP_ID"),
        ({"route": "7", "start_time": "10:40:00"}, ["y@10:40:00"], "ROUTE_AND_START"),
    ],
)
def test_what_is_said_and_what_it_means(plan, book, words, ids, evidence):
    assert told(plan, book, **words) == (ids, evidence)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260304", day_of("2026-03-04")),
        ("2026-03-04", day_of("2026-03-04")),
        ("", -1),
        ("20260230", -1),
        ("today", -1),
        ("19700101", 0),
    ],
)
def test_start_dates(text, day):
    assert named_day(text) == day


def test_prefixes_end_before_separators():
    assert prefixes("2181044:565230:568432") == ["2181044:565230:568432", "2181044:565230", "2181044"]
    assert prefixes("a-b_c|d.e") == ["a-b_c|d.e", "a-b_c|d", "a-b_c", "a-b", "a"]
    assert prefixes(":x") == [":x"]  # nothing is no prefix
    assert prefixes("a::b") == ["a::b", "a:", "a"]
    assert prefixes("") == []


@given(st.text(alphabet="ab" + SEPARATORS, max_size=12))
def test_prefixes_are_what_the_id_begins_with(trip_id):
    found = prefixes(trip_id)
    assert found[:1] == ([trip_id] if trip_id else [])
    assert all(trip_id.startswith(prefix) and prefix for prefix in found)
    assert [len(prefix) for prefix in found] == sorted({len(prefix) for prefix in found}, reverse=True)
    assert all(trip_id[len(prefix)] in SEPARATORS for prefix in found[1:])


def test_meanings_as_compressed_rows():
    meanings = [
        Meaning((3, 1), Evidence.BLOCK),
        Meaning((), Evidence.NOTHING),
        Meaning((2,), Evidence.TRIP_ID),
    ]
    start, trips = candidate_rows(meanings)
    assert (start.tolist(), trips.tolist()) == ([0, 2, 2, 3], [3, 1, 2])
    start, trips = candidate_rows([])
    assert (start.tolist(), trips.tolist()) == ([0], [])
