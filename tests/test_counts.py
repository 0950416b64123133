"""Demand from counts: sums that can be done by hand, an independent solver, real traffic counted and made again."""

import gzip
import subprocess
from collections import Counter
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
import sumo
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import nnls
from scipy.sparse import csc_array

from networks.faults import InputError
from networks.geometry import to_lonlat
from networks.network import RoadNetwork
from networks.netxml import read_network
from sim.candidates import candidate_routes, incidence
from sim.count_files import read_counts
from sim.counts import GUESS_WEIGHT, geh, route_flows, trips_from_counts, whole_cars
from sim.demand import DemandKind, demand_from_counts
from tests.paper_network import write_paper_network

HOUR = "07:00:00,08:00:00"


@pytest.fixture
def fork(tmp_path) -> RoadNetwork:
    """A street that splits into a left one, a straight one and a path on foot."""
    streets = {
        "stem": ("A", "B", 600),
        "left": ("B", "C", 600),
        "straight": ("B", "D", 600),
        "path": ("B", "E", 600),
    }
    return write_paper_network(tmp_path / "fork.net.xml", streets, ["stem left", "stem straight"], closed=("path",))


def _counts(folder: Path, *rows: str, header: str = "edge,begin,end,count") -> Path:
    path = folder / "counts.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def _volumes(network: RoadNetwork, routes) -> Counter[str]:
    return Counter(network.edges.ids[row] for route in routes for row in route.tolist())


@pytest.mark.parametrize(
    ("model", "counted", "expected"),
    [(1000, 900, 3.244), (120, 100, 1.907), (0, 50, 10.0), (50, 50, 0.0), (0, 0, 0.0)],
)
def test_geh_by_hand(model, counted, expected):
    """Sqrt(2 x 100^2 / 1900) = 3.244, sqrt(2 x 20^2 / 220) = 1.907, sqrt(2 x 50) = 10."""
    assert geh(model, counted) == pytest.approx(expected, abs=5e-4)
    assert geh(counted, model) == geh(model, counted)


def test_consistent_counts_are_met_exactly_and_the_rest_follows(fork, tmp_path):
    path = _counts(tmp_path, f"stem,{HOUR},100", f"left,{HOUR},30")
    trips, fits = trips_from_counts(fork, read_counts(path, fork), 25200, 28800, seed=1)
    volumes = _volumes(fork, trips.routes)
    assert (volumes["stem"], volumes["left"]) == (100, 30)
    # the turn to the path is for feet: what does not turn left and goes on goes straight
    assert volumes["path"] == 0
    assert [(fit.line, fit.edge, fit.count, fit.assigned, fit.geh) for fit in fits] == [
        (2, "stem", 100, 100, 0),
        (3, "left", 30, 30, 0),
    ]
    assert trips.departures_s.min() >= 25200
    assert trips.departures_s.max() < 28800
    assert np.all(np.diff(trips.departures_s) >= 0)


def test_contradicting_counts_meet_at_their_harmonic_mean(tmp_path):
    """90 and 110 on one stream, each with a variance of its size: x = 2 / (1/90 + 1/110) = 99."""
    streets = {"in": ("A", "B", 600), "out": ("B", "C", 600)}
    network = write_paper_network(tmp_path / "line.net.xml", streets, ["in out"])
    passes = csc_array(np.ones((2, 1)))
    assert route_flows(passes, np.array([90.0, 110.0]), np.ones(1)) == pytest.approx([99], abs=0.05)
    path = _counts(tmp_path, f"in,{HOUR},90", f"out,{HOUR},110")
    _, fits = trips_from_counts(network, read_counts(path, network), 25200, 28800, seed=1)
    assert all(fit.geh == pytest.approx(geh(fit.assigned, fit.count)) for fit in fits)
    assert sum(fit.assigned for fit in fits) == pytest.approx(200, abs=4)


def test_turns_are_counted_as_turns(fork, tmp_path):
    rows = [f"stem,left,{HOUR},12", f"stem,straight,{HOUR},34"]
    path = _counts(tmp_path, *rows, header="edge,to_edge,begin,end,count")
    trips, fits = trips_from_counts(fork, read_counts(path, fork), 25200, 28800, seed=1)
    steps = Counter(step for route in trips.routes for step in pairwise(fork.edges.ids[row] for row in route))
    assert (steps["stem", "left"], steps["stem", "straight"]) == (12, 34)
    assert [(fit.edge, fit.to_edge, fit.assigned) for fit in fits] == [("stem", "left", 12), ("stem", "straight", 34)]


def test_each_period_has_its_own_traffic(fork, tmp_path):
    rows = [
        "left,25200,26100,10",
        "straight,07:00:00,07:15:00,0",
        "left,07:15:00,07:30:00,0",
        "straight,26100,27000,20",
    ]
    trips, fits = trips_from_counts(fork, read_counts(_counts(tmp_path, *rows), fork), 25200, 28800, seed=1)
    early = [route for depart_s, route in zip(trips.departures_s, trips.routes, strict=True) if depart_s < 26100]
    assert _volumes(fork, early)["straight"] == 0
    assert _volumes(fork, early)["left"] == 10
    assert [fit.assigned for fit in fits] == [10, 0, 0, 20]
    assert trips.departures_s.max() < 27000


def test_period_that_sticks_out_of_the_simulated_one_counts_in_part(fork, tmp_path):
    path = _counts(tmp_path, f"left,{HOUR},100", "left,09:00:00,10:00:00,50")
    trips, fits = trips_from_counts(fork, read_counts(path, fork), 25200 + 900, 28800, seed=1)
    assert [(fit.count, fit.assigned) for fit in fits] == [(75, 75)]
    assert trips.departures_s.min() >= 26100
    # 75 cars in three quarters of an hour are 100 an hour
    assert fits[0].geh == 0


def test_counts_of_another_time_are_no_demand(fork, tmp_path):
    counts = read_counts(_counts(tmp_path, f"left,{HOUR},100"), fork)
    with pytest.raises(InputError, match="COUNT_ROW"):
        trips_from_counts(fork, counts, 0, 3600, seed=1)


@pytest.mark.parametrize(
    ("rows", "code", "line", "field"),
    [
        (["left,07:00:00,08:00:00,many"], "COUNT_ROW", 2, "count"),
        (["left,07:00:00,08:00:00,-3"], "COUNT_ROW", 2, "count"),
        (["left,07:00:00,08:00:00,nan"], "COUNT_ROW", 2, "count"),
        (["left,07:00:00,08:00:00,5", "left,25:61:61,28:00:00,5"], "COUNT_ROW", 3, "begin"),
        (["left,08:00:00,07:00:00,5"], "COUNT_ROW", 2, "end"),
        (["left,07:00:00,08:00:00"], "COUNT_ROW", 2, None),
        (['left,07:00:00,"08:00:00,5'], "COUNT_ROW", 2, None),
        (["left,07:00:00,08:00:00,5", "", "left,07:00:00,08:00:00,6"], "COUNT_ROW", 4, None),
        (["left,07:00:00,08:00:00,5", "stem,07:30:00,08:30:00,6"], "COUNT_ROW", 3, "begin"),
        (["nowhere,07:00:00,08:00:00,5"], "COUNT_EDGE", 2, "edge"),
        (["path,07:00:00,08:00:00,5"], "COUNT_EDGE", 2, "edge"),
        ([], "COUNT_ROW", 1, None),
    ],
)
def test_faulty_rows_are_named(fork, tmp_path, rows, code, line, field):
    with pytest.raises(InputError) as caught:
        read_counts(_counts(tmp_path, *rows), fork)
    assert (caught.value.code, caught.value.row, caught.value.field) == (code, line, field)
    assert "counts.csv" in str(caught.value)


@pytest.mark.parametrize(
    "header", ["edge,begin,end", "begin,end,count", "edge,begin,end,count,colour", "edge,begin,end,count,count", ""]
)
def test_faulty_headers_are_named(fork, tmp_path, header):
    with pytest.raises(InputError, match=r"COUNT_ROW.* line 1"):
        read_counts(_counts(tmp_path, header=header), fork)


def test_turn_that_cars_cannot_make_is_named(fork, tmp_path):
    path = _counts(tmp_path, f"left,straight,{HOUR},5", header="edge,to_edge,begin,end,count")
    with pytest.raises(InputError, match=r"COUNT_EDGE.*line 2 \[to_edge\].*no turn leads"):
        read_counts(path, fork)


def test_other_encodings_are_named(fork, tmp_path):
    path = _counts(tmp_path)
    path.write_bytes("edge,begin,end,count\nleft,0,60,5\nMühlweg,0,60,5\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"CSV_ENCODING.*line 3"):
        read_counts(path, fork)


def test_counter_given_by_position_finds_its_carriageway(adlershof, tmp_path):
    network = read_network(adlershof)
    cars = np.flatnonzero(network.edges_for("passenger") & (network.edge_length_m > 80))
    wanted = cars[:: len(cars) // 10]
    middles = [network.edge_shape_m(edge) for edge in wanted]
    points_m = [(shape[0] + shape[1]) / 2 for shape in middles]
    rows = [f"{lon},{lat},{HOUR},5" for lon, lat in to_lonlat(network.location, points_m)]
    found = read_counts(_counts(tmp_path, *rows, header="lon,lat,begin,end,count"), network)
    assert [count.edge for count in found] == wanted.tolist()
    with pytest.raises(InputError, match=r"COUNT_EDGE.*line 2 \[lon\]"):
        read_counts(_counts(tmp_path, f"0,0,{HOUR},5", header="lon,lat,begin,end,count"), network)


systems = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@settings(deadline=None)
@given(systems)
def test_flows_are_those_of_an_independent_solver(rng):
    """The same least squares problem, stacked and given to scipy's active-set solver."""
    counters, routes = rng.integers(1, 6), rng.integers(1, 9)
    dense = rng.integers(0, 2, (counters, routes)).astype(float)
    counted, guess = rng.integers(0, 300, counters).astype(float), rng.integers(1, 20, routes).astype(float)
    flows = route_flows(csc_array(dense), counted, guess)
    live = dense.any(axis=0)
    total = (dense @ guess).sum()
    if total == 0 or counted.sum() == 0:
        assert not flows.any()
        return
    first = guess * counted.sum() / total
    weight = 1 / np.sqrt(np.maximum(counted, 1))
    trust = np.sqrt(GUESS_WEIGHT / first)
    stacked = np.vstack((dense * weight[:, None], np.diag(trust)))[:, live]
    expected, _ = nnls(stacked, np.concatenate((counted * weight, trust * first)))
    assert flows[live] == pytest.approx(expected, abs=0.02 * max(1, counted.max() ** 0.5))
    assert not flows[~live].any()


@settings(deadline=None, max_examples=50)
@given(systems)
def test_rounding_is_nearly_the_best_there_is(rng):
    """Against trying every combination of whole cars near the flows."""
    counters, routes = rng.integers(1, 4), rng.integers(1, 5)
    dense = rng.integers(0, 2, (counters, routes)).astype(float)
    flows = rng.uniform(0, 5, routes)
    counted = dense @ flows
    cars = whole_cars(csc_array(dense), counted, flows, rng)
    assert cars.min() >= 0

    def loss(tried) -> float:
        miss, drift = dense @ tried - counted, np.asarray(tried) - flows
        return float(miss**2 @ (1 / np.maximum(counted, 1)) + GUESS_WEIGHT * (drift**2 @ (1 / np.maximum(flows, 1))))

    near = product(*(range(max(0, int(flow) - 1), int(flow) + 3) for flow in flows))
    assert loss(cars) <= min(map(loss, near)) + 0.5
    for route, step in product(range(routes), (-1, 1)):
        moved = cars.copy()
        moved[route] += step
        assert moved[route] < 0 or loss(cars) <= loss(moved) + 1e-6


@given(
    routes=st.lists(hnp.arrays(np.int32, st.integers(1, 6), elements=st.integers(0, 4)), max_size=5),
    counters=st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), min_size=1, max_size=6, unique=True),
)
def test_incidence_is_that_of_counting_along(routes, counters):
    matrix = incidence(routes, counters).toarray()
    for row, (edge, to_edge) in enumerate(counters):
        for column, route in enumerate(routes):
            walk = route.tolist()
            passed = walk.count(edge) if to_edge == -1 else list(pairwise(walk)).count((edge, to_edge))
            assert matrix[row, column] == passed


def test_every_counter_that_cars_can_pass_has_candidates(adlershof):
    network = read_network(adlershof)
    counters = [(int(edge), -1) for edge in np.flatnonzero(network.edges_for("passenger"))]
    routes, guess = candidate_routes(network, counters, np.random.default_rng(1))
    passes = incidence(routes, counters)
    assert passes.sum(axis=1).min() >= 1
    assert len(routes) == len({route.tobytes() for route in routes}) == len(guess)
    turns = set(zip(network.connection_from_edge.tolist(), network.connection_to_edge.tolist(), strict=True))
    assert all(step in turns for route in routes for step in pairwise(route.tolist()))


def _counted_by_duarouter(folder: Path, out: Path) -> Counter[str]:
    """True volumes of cologne8: its trips, routed by SUMO's own router."""
    command = [
        Path(sumo.SUMO_HOME) / "bin" / "duarouter", "-n", folder / "cologne8.net.xml.gz",
        "-r", folder / "cologne8.rou.xml.gz", "-o", out, "--xml-validation", "never", "--no-step-log",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    routes = [line.split('"')[1] for line in out.read_text().splitlines() if "<route edges" in line]
    return Counter(edge for route in routes for edge in route.split())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cologne_counted_on_thirty_streets_comes_back(data_dir, tmp_path, seed):
    folder = data_dir / "resco" / "cologne8"
    truth = _counted_by_duarouter(folder, tmp_path / "true.rou.xml")
    network = read_network(folder / "cologne8.net.xml.gz")
    streets = np.random.default_rng(seed).choice(sorted(truth), 30, replace=False)
    path = _counts(tmp_path, *(f"{edge},{HOUR},{truth[edge]}" for edge in streets))
    demand = demand_from_counts(path, network, 25200, 28800, seed, tmp_path / "made.rou.xml.gz")
    assert demand.kind is DemandKind.COUNTS
    assert not demand.is_synthetic
    assert [fit.count for fit in demand.count_fits] == [truth[edge] for edge in streets]
    assert np.mean([fit.geh < 5 for fit in demand.count_fits]) >= 0.85
    # what the fits say is what the written file holds
    made = Counter(
        edge
        for line in _lines(demand.route_files[0])
        for edge in line.partition('edges="')[2].partition('"')[0].split()
    )
    assert [fit.assigned for fit in demand.count_fits] == [made[edge] for edge in streets]


def _lines(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()
