"""Lines of patterns: metres on the ellipsoid, and the places of calls in their order."""

import math

import numpy as np
import pyproj
import pytest

from gtfs.feed import read_feed
from gtfs.pattern_lines import STOP_RADIUS_M
from gtfs.trace_plan import trace_plan
from tests.paper_traces import CALLS, calls, paper_plan, shape_text, stops_text

NO_SHAPE = "route_id,service_id,trip_id\n12,daily,t1\n"


def plan_of(folder, corners, places, **tables):
    """A street with corners, and stops a, b, c ... along it."""
    names = [chr(ord("a") + k) for k in range(len(places))]
    texts = {
        "stops": stops_text(dict(zip(names, places, strict=True))),
        "shapes": shape_text(*corners),
        "stop_times": CALLS + calls("t1", *(28_800 + 60 * k for k in range(len(places))), stops=names),
    }
    return paper_plan(folder, **(texts | tables))


def call_ways(folder, corners, places, **tables):
    return plan_of(folder, corners, places, **tables).lines.call_way_m


def exact(found, expected, atol=1e-5):
    np.testing.assert_allclose(found, expected, rtol=0, atol=atol)


def test_a_line_is_its_shape(tmp_path):
    lines = plan_of(tmp_path, [(0, 0), (300, 0), (300, 400)], [(100, 0), (300, 250)]).lines
    assert lines.start.tolist() == [0, 3]
    exact(lines.way_m, [0, 300, 700])
    exact(lines.corner_m, [(-150, -200), (150, -200), (150, 200)])  # from the middle of the box
    exact(lines.call_way_m, [100, 550])


@pytest.mark.parametrize("lat", [-70.0, -33.4, 0.0, 44.2, 59.9])
def test_metres_are_those_of_the_ellipsoid(tmp_path, lat):
    """Against geodesics of PROJ: lines of some 10 km, to a thousandth, since the plane touches the earth amid each."""
    lon_lat = [(20.0, lat), (20.05, lat + 0.02), (20.06, lat + 0.07), (20.1, lat + 0.08)]
    shape = "shape_id,shape_pt_lon,shape_pt_lat,shape_pt_sequence\n" + "".join(
        f"way,{lon},{here},{k}\n" for k, (lon, here) in enumerate(lon_lat)
    )
    geodesic = pyproj.Geod(ellps="WGS84")
    length_m = [geodesic.line_length(*zip(*lon_lat[: k + 1], strict=True)) for k in range(4)]
    lines = paper_plan(tmp_path, shapes=shape).lines
    exact(lines.way_m, length_m, atol=length_m[-1] * 1e-3)


def test_without_a_shape_the_line_runs_through_the_stops(tmp_path):
    places = [(0, 0), (300, 0), (300, 400)]
    exact(call_ways(tmp_path, [], places, trips=NO_SHAPE, shapes=None), [0, 300, 700])


def test_without_a_shape_a_stop_without_a_place_is_left_out_of_the_line(tmp_path):
    nowhere = stops_text({"a": (0, 0), "c": (300, 400)}) + "b,b,,\n"
    # it still has a call, half way between its neighbours'
    exact(call_ways(tmp_path, [], [(0, 0)] * 3, trips=NO_SHAPE, shapes=None, stops=nowhere), [0, 250, 500])


def test_a_stop_far_from_the_line_lies_between_its_neighbours(tmp_path):
    far = (700, STOP_RADIUS_M + 1)
    exact(call_ways(tmp_path, [(0, 0), (2000, 0)], [(100, 0), far, (900, 0), (1900, 0)]), [100, 500, 900, 1900])
    exact(call_ways(tmp_path, [(0, 0), (2000, 0)], [far, (500, 0), (900, 0), far]), [500, 500, 900, 900])


def test_no_stop_near_the_line_spreads_all(tmp_path):
    exact(call_ways(tmp_path, [(0, 0), (900, 0)], [(0, 3000)] * 4), [0, 300, 600, 900])


def test_nothing_known_of_any_place(tmp_path):
    nowhere = "stop_id,stop_name,stop_lon,stop_lat\na,a,,\nb,b,,\n"
    lines = plan_of(tmp_path, [], [(0, 0)] * 2, trips=NO_SHAPE, shapes=None, stops=nowhere).lines
    assert (lines.start.tolist(), lines.call_way_m.tolist()) == ([0, 0], [0, 0])


def test_stops_keep_their_order_on_a_straight_street_out_and_back(tmp_path):
    corners = [(0, 0), (3000, 0), (0, 0)]
    out, back = [(500, 5), (1500, 5), (2500, 5)], [(2400, -5), (1400, -5), (400, -5)]
    exact(call_ways(tmp_path, corners, [*out, *back]), [500, 1500, 2500, 3600, 4600, 5600])


def test_a_loop_ends_at_its_end(tmp_path):
    corners = [(0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0)]
    exact(call_ways(tmp_path, corners, [(0, 0), (1000, 500), (0, 500), (0, 0)]), [0, 1500, 3500, 4000])


def test_a_street_passed_twice_takes_stops_in_order(tmp_path):
    # a figure of eight: the crossing at (500, 500) is passed at 707 m and again after the loop
    corners = [(0, 0), (1000, 1000), (1000, 0), (0, 1000)]
    leg_m = math.hypot(1000, 1000)
    found = call_ways(tmp_path, corners, [(500, 500), (1000, 500), (500, 500)])
    exact(found, [leg_m / 2, leg_m + 500, leg_m + 1000 + leg_m / 2], atol=0.01)


def test_calls_that_go_back_a_little_are_put_in_one_place(tmp_path):
    found = call_ways(tmp_path, [(0, 0), (3000, 0)], [(100, 0), (1020, 5), (1010, -5), (2000, 0)])
    assert (np.diff(found) >= 0).all()
    exact(found[[0, 3]], [100, 2000])
    exact(found[1:3], 1015, atol=10)


def test_a_line_whose_corners_repeat(tmp_path):
    corners = [(0, 0), (500, 0), (500, 0), (500, 0), (1000, 0), (1000, 0)]
    exact(call_ways(tmp_path, corners, [(500, 0), (750, 0), (1000, 0)]), [500, 750, 1000])


def test_real_lines_have_their_stops_near_and_in_order(data_dir):
    for city, median_m in (("kingston", 15), ("washington", 15)):
        plan = trace_plan(read_feed(data_dir / city / "gtfs.zip"))
        lines, patterns = plan.lines, plan.timetable.patterns
        away_m = []
        for pattern in range(len(patterns)):
            ways_m = lines.call_way_m[patterns.calls(pattern)]
            assert (np.diff(ways_m) >= 0).all()
            corners = slice(*lines.start[pattern : pattern + 2])
            stops = patterns.call_stop[patterns.calls(pattern)]
            lon, lat, east_m, north_m = lines.frame[pattern]
            stop_m = np.column_stack(
                ((plan.timetable.stops.lon[stops] - lon) * east_m, (plan.timetable.stops.lat[stops] - lat) * north_m)
            )
            place_m = [np.interp(ways_m, lines.way_m[corners], column) for column in lines.corner_m[corners].T]
            away_m += np.hypot(*(stop_m.T - place_m)).tolist()
        assert np.median(away_m) < median_m, city
        assert np.quantile(away_m, 0.99) < 100, city
