"""Webster's plans against a textbook, lanes computed by hand, and what safety asks for; offsets against platoons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from networks.netxml import read_network
from signals.flows import MovementFlow, SignalFlows, Stream
from signals.intergreen import Clearance
from signals.movement import Link
from signals.offsets import coordinated, departures, queued_s, spread
from signals.plan import build_plan
from signals.webster import permitted_headway_s, timing, webster_cycle_s, webster_programs, webster_timings
from sim.route_files import read_route_files
from sim.run import RunSpec, simulate
from sim.signal_flows import signal_flows
from tests.crossing import write_cars, write_crossing
from tests.made_plans import plans
from tests.oracles import signal_faults
from tests.signal_streets import link_of, write_cross, write_streets
from tests.test_interlock import paper_plan
from tests.test_static_program import played

PROTECTED_VEH_PER_H = 3600 / 1.9


def lane(number):
    return Link((number,), (100 + number,), 13.9, 20.0, 0.0)


def two_stages(clearance_s=(4.0, 4.0), **other):
    return paper_plan([(0, 1)], ["Gr", "rG"], [clearance_s] * 2, (lane(0), lane(1)), **other)


def flow(vehicles_per_hour, *links, signal="paper"):
    return MovementFlow(signal, links, vehicles_per_hour)


def by_ratio(*ratios):
    """Flows that take these shares of a lane's saturation flow, one a link."""
    return [flow(ratio * PROTECTED_VEH_PER_H, link) for link, ratio in enumerate(ratios)]


def test_the_textbook_crossing_of_two_roads():
    # S. K. Khanna, C. E. G. Justo, Highway Engineering: 400 of 1250 and 250 of 1000 vehicles an hour, 16 s lost:
    # C = (1.5 x 16 + 5) / (1 - 0.57) = 67.4 s; greens 0.32 / 0.57 x 51.4 = 29 s and 0.25 / 0.57 x 51.4 = 22.5 s
    made = timing(two_stages(), by_ratio(400 / 1250, 250 / 1000))
    assert made.case.lost_s == 16.0
    assert made.ratio_sum == pytest.approx(0.57)
    assert (made.webster_s, made.cycle_s) == (67.0, 67.0)
    assert made.greens_s == (29.0, 22.0)


@pytest.mark.parametrize(
    ("lost_s", "ratio_sum", "cycle_s"),
    [(10.0, 0.6, 50.0), (10.0, 0.0, 30.0), (10.0, 0.9, 150.0), (4.0, 0.9, 110.0), (4.0, 5.0, 110.0)],
)
def test_the_cycle_is_by_formula_with_y_clamped_and_within_its_bounds(lost_s, ratio_sum, cycle_s):
    assert webster_cycle_s(lost_s, ratio_sum) == cycle_s


def test_a_movement_on_two_lanes_has_twice_the_saturation_flow():
    plan = paper_plan([(0, 2), (1, 2)], ["GGr", "rrG"], [(4.0, 4.0)] * 3, tuple(map(lane, range(3))))
    made = timing(plan, [flow(0.6 * PROTECTED_VEH_PER_H, 0, 1), flow(0.2 * PROTECTED_VEH_PER_H, 2)])
    assert made.shares.ratios == pytest.approx((0.3, 0.2))


def test_movements_that_share_a_lane_and_its_greens_add_up():
    links = (lane(0), Link((0,), (7,), 13.9, 20.0, 0.0), lane(1))
    plan = paper_plan([(0, 2), (1, 2)], ["GGr", "rrG"], [(4.0, 4.0)] * 3, links)
    assert timing(plan, by_ratio(0.2, 0.1, 0.2)).shares.ratios == pytest.approx((0.3, 0.2))


def test_a_lane_on_which_one_would_block_the_other_is_left_to_the_one_that_has_a_stage_of_its_own():
    # straight on lanes 0 and 1, left on lane 1 alone, with a stage of its own: straight keeps off lane 1
    links = (lane(0), lane(1), Link((1,), (9,), 13.9, 20.0, 0.0), lane(2))
    plan = paper_plan([(0, 3), (1, 3), (2, 3)], ["GGrr", "rrGr", "rrrG"], [(4.0, 4.0)] * 4, links)
    flows = [flow(0.2 * PROTECTED_VEH_PER_H, 0, 1), flow(0.1 * PROTECTED_VEH_PER_H, 2)]
    made = timing(plan, flows)
    assert made.ratio_sum == pytest.approx(0.3)
    # lanes that are too short for a queue are one lane upstream: there they cannot keep out of each other's way
    assert {use.lane for use in timing(plan, flows, {0: 5, 1: 5}).case.uses} == {5}


def test_a_link_green_in_two_stages_needs_no_more_than_both_together():
    plan = paper_plan([(1, 2)], ["GGr", "GrG"], [(4.0, 4.0)] * 3, tuple(map(lane, range(3))))
    made = timing(plan, by_ratio(0.5, 0.2, 0.1))
    assert made.ratio_sum == pytest.approx(0.5)


def test_permitted_vehicles_need_three_seconds_and_longer_the_more_they_must_let_go_first():
    assert permitted_headway_s(0.0) == 3.0
    # s = v exp(-4.5 v) / (1 - exp(-3 v)) with v = 0.2 a second: 0.2 x 0.40657 / 0.45119 = 0.18022 a second
    assert permitted_headway_s(0.2) == pytest.approx(1 / 0.18022, rel=1e-4)
    assert permitted_headway_s(5.0) == 60.0


def test_a_minimum_green_that_takes_more_than_its_share_makes_the_cycle_longer():
    made = timing(two_stages(min_green_s=20.0), by_ratio(0.4, 0.02))
    assert made.webster_s == 50.0  # (1.5 x 16 + 5) / 0.58; 14 s would be left for 0.4
    assert made.greens_s[1] == 20.0
    assert made.cycle_s > made.webster_s
    # as full as the formula's own: 0.42 x 50 / 34 = 0.62, and a second less would not do
    assert made.shares.degree <= 0.42 * 50 / 34
    assert 0.4 / ((made.cycle_s - 1 - 36) / (made.cycle_s - 1)) > 0.42 * 50 / 34


def test_without_traffic_and_without_green_nothing_breaks():
    made = timing(two_stages(), [])
    assert (made.cycle_s, made.greens_s) == (30.0, (7.0, 7.0))
    never = paper_plan([(0, 1)], ["Grr", "rGr"], [(4.0, 4.0)] * 3, tuple(map(lane, range(3))))
    assert [each.links for each in timing(never, [flow(100.0, 2)]).case.unserved] == [(2,)]


@settings(max_examples=60, deadline=None)
@given(plans(), st.data())
def test_plans_are_safe_and_keep_minimum_green_whatever_the_traffic(plan, data):
    flows = [flow(data.draw(st.floats(0, 2500)), bit) for bit in range(len(plan.links)) if plan.links[bit].has_vehicles]
    made = timing(plan, flows)
    assert signal_faults(*played(made.program), plan) == []
    assert all(green >= least for green, least in zip(made.greens_s, made.case.least_s, strict=True))
    assert sum(phase.duration_s for phase in made.program.phases) == made.cycle_s
    assert made.cycle_s >= 30.0


def test_a_queue_on_paper():
    # green in the second half: 0.5 a second come, 2 a second may leave; the queue grows to 2 in 4 s, then goes by 1.5
    arriving, service = np.full((1, 8), 0.5), np.array([[0.0] * 4 + [2.0] * 4])
    assert queued_s(arriving, service).tolist() == [0.5 + 1.0 + 1.5 + 2.0 + 0.5]
    assert departures(arriving[0], service[0]).tolist() == [0, 0, 0, 0, 2.0, 1.0, 0.5, 0.5]


def test_a_platoon_spreads_and_loses_nobody():
    leaving = np.zeros(60)
    leaving[10:20] = 0.5
    arriving = spread(leaving, 20.0)
    assert arriving.sum() == pytest.approx(5.0, rel=1e-3)
    # the first come after 0.8 of the time on free streets
    assert arriving[26] > arriving[25]
    assert arriving.max() < 0.5
    assert (spread(leaving, 60.0) ** 2).sum() < (arriving**2).sum()


def arterial(travel_s, vehicles_per_hour=700.0):
    """Two signals, one behind the other on a street; the first sends all that the second gets there."""
    made = []
    for name in ("first", "second"):
        plan = two_stages()
        object.__setattr__(plan, "signal_id", name)
        made.append(timing(plan, [flow(vehicles_per_hour, 0), flow(300.0, 1)]))
    flows = SignalFlows(
        (
            flow(vehicles_per_hour, 0, signal="first"),
            flow(300.0, 1, signal="first"),
            flow(vehicles_per_hour, 0, signal="second"),
            flow(300.0, 1, signal="second"),
        ),
        (Stream(0, 2, vehicles_per_hour, travel_s),),
        0.0,
        3600.0,
    )
    return made, flows


@pytest.mark.parametrize("travel_s", [10.0, 25.0, 40.0])
def test_a_platoon_on_a_one_way_street_finds_green(travel_s):
    first, second = coordinated(*arterial(travel_s))
    assert first.cycle_s == second.cycle_s
    later_s = (second.offset_s - first.offset_s) % first.cycle_s
    # green begins with the first of the platoon, after 0.8 of the time on free streets, or a little later
    assert 0.8 * travel_s - 3 <= later_s <= travel_s + 3


def test_signals_far_apart_or_with_little_between_them_are_left_to_themselves():
    for made, flows in (arterial(90.0), arterial(20.0, 50.0)):
        assert [each.offset_s for each in coordinated(made, flows)] == [0.0, 0.0]


def test_flows_are_counted_from_routes_trips_and_flows_in_the_busiest_hour(tmp_path):
    network = read_network(write_cross(tmp_path))
    path = tmp_path / "all.rou.xml"
    rows = [f'<vehicle id="v{n}" depart="{n * 10}"><route edges="wc ce"/></vehicle>' for n in range(30)]
    rows += [f'<trip id="t{n}" depart="{4000 + n * 30}" from="sc" to="cw"/>' for n in range(120)]
    rows += ['<flow id="f" begin="7600" end="11200" vehsPerHour="60" from="nc" to="cs"/>']
    path.write_text("\n".join(["<routes>", *rows, "</routes>"]))
    read_route_files([path], network)
    flows = signal_flows(network, [path])
    # the 120 trips of the hour from 3900 on; the first stop: 300 s at a time from the first departure
    assert (flows.begin_s, flows.end_s) == (3900.0, 7500.0)
    (only,) = flows.movements
    assert only.links == (link_of(network, "light", "sc", "cw"),)
    assert only.vehicles_per_hour == 117.0  # those of 4000 s, 4030 s ... 7480 s
    early = signal_flows(network, [path], 0.0, 600.0)
    assert [each.vehicles_per_hour for each in early.movements] == [30 * 6]


def test_streams_tell_how_long_free_streets_take(tmp_path):
    places = {"w": (-300, 0), "a": (0, 0), "b": (400, 0), "e": (700, 0), "s": (0, -200), "t": (400, -200)}
    streets = {"wa": ("w", "a"), "ab": ("a", "b"), "be": ("b", "e"), "sa": ("s", "a"), "tb": ("t", "b")}
    network = read_network(write_streets(tmp_path, places, streets, {"a": "A", "b": "B"}))
    path = tmp_path / "cars.rou.xml"
    path.write_text('<routes><flow id="f" begin="0" end="3600" number="500"><route edges="wa ab be"/></flow></routes>')
    flows = signal_flows(network, [path])
    assert {each.signal_id for each in flows.movements} == {"A", "B"}
    (stream,) = flows.streams
    assert stream.vehicles_per_hour == 500.0
    assert stream.travel_s == pytest.approx(400 / 13.89, abs=1.5)


FLOWS = [
    ('vehsPerHour="240" begin="0" end="3600"', 240.0),
    ('period="15"', 240.0),  # all day
    ('number="120" begin="0" end="7200"', 60.0),
    ('probability="0.1" begin="0" end="7200"', 360.0),
    ('period="exp(0.2)" begin="0" end="3600"', 720.0),
]


@pytest.mark.parametrize(("attributes", "vehicles_per_hour"), FLOWS)
def test_flows_of_every_kind_count_as_they_are_expected(tmp_path, attributes, vehicles_per_hour):
    network = read_network(write_cross(tmp_path))
    path = tmp_path / "cars.rou.xml"
    path.write_text(f'<routes><flow id="f" from="wc" to="ce" {attributes}/></routes>')
    read_route_files([path], network)
    assert [each.vehicles_per_hour for each in signal_flows(network, [path]).movements] == [vehicles_per_hour]


def test_routes_by_name_and_by_chance_are_split_as_told(tmp_path):
    network = read_network(write_cross(tmp_path))
    path = tmp_path / "cars.rou.xml"
    path.write_text(
        '<routes><route id="on" edges="wc ce"/><routeDistribution id="d"><route id="a" edges="sc cn" probability="3"/>'
        '<route id="b" edges="sc cw" probability="1"/></routeDistribution>'
        '<flow id="f" route="d" begin="0" end="3600" number="400"/><vehicle id="v" route="on" depart="7"/></routes>'
    )
    read_route_files([path], network)
    wanted = {("sc", "cn"): 300.0, ("sc", "cw"): 100.0, ("wc", "ce"): 1.0}
    flows = {each.links: each.vehicles_per_hour for each in signal_flows(network, [path]).movements}
    assert flows == {(link_of(network, "light", *way),): vehicles for way, vehicles in wanted.items()}


def test_lanes_too_short_for_a_queue_count_as_the_lane_before_them_and_lanes_to_change_between_as_one(data_dir):
    # 164051413: 9 m at a stop line, two lanes. Who comes from 391891458#0 enters lane 1 and must turn left from lane 2
    folder = data_dir / "resco" / "ingolstadt1"
    network = read_network(folder / "ingolstadt1.net.xml.gz")
    queues = signal_flows(network, [folder / "ingolstadt1.rou.xml.gz"]).queue_lanes
    first, second = (network.lane_index[f"164051413_{number}"] for number in (1, 2))
    assert queues.get(first, first) == queues.get(second, second)
    assert network.lane_index["201963537#1_3"] not in queues  # 144 m


def test_vehicles_whose_way_is_not_told_are_counted_and_left_out(tmp_path):
    network = read_network(write_cross(tmp_path))
    path = tmp_path / "cars.rou.xml"
    path.write_text(
        '<routes><trip id="a" depart="0" from="wc" to="ce"/><trip id="b" depart="1" fromTaz="x" toTaz="y"/></routes>'
    )
    flows = signal_flows(network, [path])
    assert flows.unplaced == 1
    assert [each.vehicles_per_hour for each in flows.movements] == [4.0]  # one in a quarter of an hour


def spec(folder, controller, **other):
    path, routes = write_crossing(folder), (write_cars(folder / "cars.rou.xml", 90, 20),)
    return RunSpec(controller, controller, 1, path, routes, 0, 300, ("c",), ("c",), **other)


def test_a_run_under_webster_gives_the_busy_street_more_green_and_loses_less_time(tmp_path):
    webster, static = simulate(spec(tmp_path, "webster")), simulate(spec(tmp_path, "static"))
    assert webster.measures.monitor_violations == 0
    assert webster.measures.scheduled == static.measures.scheduled == 110
    assert webster.measures.delay_per_scheduled_s < static.measures.delay_per_scheduled_s


def test_flows_made_before_give_the_same_run(tmp_path):
    plain = spec(tmp_path, "webster")
    flows = signal_flows(read_network(plain.network), plain.routes, 0, 300)
    measured = [
        simulate(each).measures.delay_per_scheduled_s for each in (plain, spec(tmp_path, "webster", flows=flows))
    ]
    assert measured[0] == measured[1]


@pytest.mark.parametrize("name", ["cologne8", "ingolstadt7"])
def test_plans_of_real_maps_are_safe(name, data_dir):
    folder = data_dir / "resco" / name
    network = read_network(folder / f"{name}.net.xml.gz")
    flows = signal_flows(network, [folder / f"{name}.rou.xml.gz"])
    made = [build_plan(network, signal.signal_id, Clearance.ITE) for signal in network.signals]
    programs = webster_programs(made, flows)
    for plan in made:
        assert signal_faults(*played(programs[plan.signal_id]), plan) == []
    assert all(30 <= each.cycle_s <= 150 for each in webster_timings(made, flows))
