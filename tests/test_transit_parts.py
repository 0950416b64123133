"""Parts of the import by themselves: lanes to turn from, stops on them, run times, ridership, SUMO's stop output."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks.build import _fitting
from networks.faults import InputError
from sim.bus_lanes import changes
from sim.bus_stops import simulation_id, stop_ids
from sim.dwell import DwellLaw
from sim.kernels import departures_at_speed
from sim.modes import mode_of, modes_named
from sim.ridership import boardings_at, read_ridership
from sim.stop_output import read_stop_visits, stop_times_s


def test_dwell_is_the_doors_and_each_passengers_time():
    law = DwellLaw()
    assert law.dwell_s(None) == 15.0
    assert law.dwell_s(0) == 4.0
    assert law.dwell_s(8) == pytest.approx(4.0 + 8 * 2.75)


def test_changes_of_lane_are_counted_to_the_nearest():
    assert [changes(lane, frozenset({1, 4})) for lane in range(6)] == [1, 0, 1, 1, 0, 1]
    assert changes(3, frozenset()) == 0


@pytest.mark.parametrize(
    ("kind", "name"),
    [(3, "bus"), (11, "bus"), (700, "bus"), (799, "bus"), (800, "bus"), (0, "tram"), (900, "tram"), (1, "subway"),
     (2, "rail"), (109, "rail"), (200, "coach")],
)  # fmt: skip
def test_route_types_have_their_mode(kind, name):
    assert mode_of(kind).name == name


@pytest.mark.parametrize("kind", [4, 6, 7, 1000, 1300, -1])
def test_ferries_and_lifts_have_no_mode(kind):
    assert mode_of(kind) is None


def test_a_mode_that_is_none_is_refused():
    assert [mode.name for mode in modes_named(["tram", "bus"])] == ["bus", "tram"]
    with pytest.raises(InputError, match="'zeppelin' is no mode"):
        modes_named(["zeppelin"])


def test_bus_stops_are_numbered_from_the_second_place_on():
    assert stop_ids(["S1", "S1", "S2", "S1", "S1#2"]) == ["S1", "S1#2", "S2", "S1#3", "S1#2#2"]


@given(st.lists(st.text(max_size=6), max_size=12))
def test_ids_of_bus_stops_are_unique_whatever_the_feed_calls_them(ids):
    names = stop_ids(ids)
    assert len(set(names)) == len(ids)
    assert all(name and not set(name) & set(" \t\n\r|\\'\";,<>&") for name in names)


def test_a_vehicle_id_is_kept_where_sumo_takes_it():
    assert simulation_id("T1-2@1#1202") == "T1-2@1#1202"
    assert simulation_id(":a b;c") == "_:a_b_c"


def test_a_vehicle_that_is_early_waits_where_it_must_and_one_that_is_late_catches_up():
    # enters at 100 s; 50 s to each stop; 10 s dwell; it must not leave the second stop before 200 s
    moving, standing = np.array([0.0, 50.0, 50.0]), np.array([100.0, 0.0, 0.0])
    dwell, until = np.array([10.0, 10.0, 10.0]), np.array([np.nan, 200.0, np.nan])
    at_limit = departures_at_speed(1.0, moving, standing, dwell, until)
    assert at_limit.tolist() == [[100, 110], [160, 200], [250, 260]]
    at_half = departures_at_speed(0.5, moving, standing, dwell, until)
    assert at_half.tolist() == [[100, 110], [210, 220], [320, 330]]


STOPS = """<stops>
<stopinfo id="A" lane="e_0" started="10.00" ended="25.00" busStop="S1" tripId="t1"/>
<stopinfo id="A" lane="f_0" started="60.00" ended="300.00" parking="1"/>
<stopinfo id="B" lane="e_0" started="90.00" ended="95.00" busStop="S1"/>
<stopinfo id="A" lane="f_0" started="301.00" ended="316.00" busStop="S2" tripId="t1"/>
<stopinfo id="B" lane="g_0" started="400.00" ended="410.00" busStop="S3"/>
</stops>
"""


def test_a_wait_beside_the_lane_is_part_of_the_stay_that_follows(tmp_path):
    path = tmp_path / "stops.xml"
    path.write_text(STOPS, encoding="utf-8")
    visits = read_stop_visits(path)
    assert [(visit.vehicle, visit.bus_stop, visit.started_s, visit.ended_s) for visit in visits] == [
        ("A", "S1", 10, 25), ("B", "S1", 90, 95), ("A", "S2", 60, 316), ("B", "S3", 400, 410),
    ]  # fmt: skip


def test_a_stop_that_a_vehicle_was_carried_past_stays_without_time(tmp_path):
    path = tmp_path / "stops.xml"
    path.write_text(STOPS, encoding="utf-8")
    times = stop_times_s(read_stop_visits(path), ["A", "B"], [0, 2, 5], ["S1", "S2", "S1", "S2", "S3"])
    nan = np.nan
    np.testing.assert_equal(times, [[10, 25], [60, 316], [90, 95], [nan, nan], [400, 410]])


def counted(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "counts.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_counts_of_a_route_go_before_those_of_any(tmp_path):
    counts = read_ridership(counted(tmp_path, "route_id,stop_id,boardings\n,A,2\n7,A,5.5\n"))
    assert [boardings_at(counts, route, "A") for route in ("7", "8")] == [5.5, 2.0]
    assert boardings_at(counts, "7", "B") is None


@pytest.mark.parametrize(
    ("text", "code", "row"),
    [("stop_id\nA\n", "RIDERSHIP_COLUMNS", 1), ("stop_id,boardings\nA,1\nB,many\n", "RIDERSHIP_VALUE", 3),
     ("stop_id,boardings\nA,-1\n", "RIDERSHIP_VALUE", 2), ("stop_id,boardings\nA,nan\n", "RIDERSHIP_VALUE", 2)],
)  # fmt: skip
def test_counts_that_are_none_are_refused_with_their_line(tmp_path, text, code, row):
    with pytest.raises(InputError) as caught:
        read_ridership(counted(tmp_path, text))
    assert (caught.value.code, caught.value.row) == (code, row)


def program(stages: int, green_s: int) -> list[bytes]:
    phases = [
        line
        for _ in range(stages)
        for line in (f'<phase duration="{green_s}" state="Gr"/>', '<phase duration="4" state="yr"/>',
                     '<phase duration="2" state="rr"/>')
    ]  # fmt: skip
    return [line.encode() for line in ("<tlLogic>", *phases, "</tlLogic>")]


def test_a_cycle_that_no_city_runs_is_cut_to_two_minutes():
    shortened = _fitting(program(10, 31))  # 370 s
    assert [line for line in shortened if b"Gr" in line] == [b'<phase duration="6" state="Gr"/>'] * 10
    assert len(shortened) == len(program(10, 31))


def test_a_cycle_that_fits_stays():
    assert _fitting(program(3, 24)) == program(3, 24)
