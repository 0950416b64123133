"""A trace read at once and as a stream gives the same to the last bit, cut anywhere and shuffled within a minute."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.portland import BREADCRUMBS, passages, read_recorded
from benchmarks.portland_feed import write_feed
from gtfs.feed import read_feed
from gtfs.pings import take_pings
from gtfs.trace_plan import trace_plan
from tests.paper_traces import (
    STREET,
    Sight,
    along,
    calls,
    canonical,
    moment,
    moved,
    paper_plan,
    pings_of,
    read_trace,
    recorded_pings,
    ride,
    silent,
)

EIGHT = moment("2026-03-04T13:00")
TABLES = ("pings", "crossings", "visits", "events")


class Trace:
    """A trace, its plan and what it gives at once."""

    def __init__(self, plan, pings):
        self.plan, self.pings = plan, pings
        self.whole = canonical(read_trace(plan, pings))


def same_however_it_comes(trace, seed):
    """Cut at random, as it arrived; then with arrivals up to a minute late, which the stream has to bear."""
    rng = np.random.default_rng(seed)
    plan, pings = trace.plan, trace.pings
    cuts = sorted(rng.integers(0, len(pings) + 1, int(rng.choice([1, 5, 40]))).tolist())
    for order in (np.arange(len(pings)), np.argsort(pings.time_s + rng.uniform(0, 60, len(pings)))):
        read = read_trace(plan, take_pings(pings, order), cuts)
        for name, found, expected in zip(TABLES, canonical(read), trace.whole, strict=True):
            assert found == expected, name


def seeds(examples):
    """Random seeds, so many of them: a whole trace is read twice for each."""

    def decorate(test):
        quiet = settings(
            deadline=None, max_examples=examples, suppress_health_check=[HealthCheck.function_scoped_fixture]
        )
        return quiet(given(seed=st.integers(0, 2**32 - 1))(test))

    return decorate


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    """All that goes wrong, on one street: a small feed with three trips an hour, a block and a repeated trip."""
    trips = STREET["trips"] + "12,daily,t2:a,way,b1\n12,daily,t3,way,b2\n7,daily,f,way,\n"
    times = STREET["stop_times"] + calls("t2:a", *(30_000 + 120 * k for k in range(6)))
    times += calls("t3", *(30_600 + 120 * k for k in range(6))) + calls("f", *(120 * k for k in range(6)))
    repeated = "trip_id,start_time,end_time,headway_secs,exact_times\nf,08:00:00,10:00:00,900,1\n"
    plan = paper_plan(tmp_path_factory.mktemp("paper"), trips=trips, stop_times=times, frequencies=repeated)
    rng = np.random.default_rng(4)
    corners = [(0, 0), (1500, 0), (1500, 200), (2500, 200), (2500, 0), (5000, 0)]
    plain = list(ride(EIGHT, {1000: 40, 3000: 600}))
    sights = [
        *along(EIGHT, *corners, vehicle="detour"),
        *(sight for one in plain for sight in (one, one)),
        *silent(moved(plain, 1200, vehicle="silent", trip="t2:b"), EIGHT + 1300, EIGHT + 1700),
        *silent(moved(plain, 1800, vehicle="gone", trip="t3"), EIGHT + 1890, EIGHT + 9999),
        *moved(plain, 1210, vehicle="block", trip="", block="b1"),
        *moved(plain, 905, vehicle="named", trip="f", start_time="08:15:00", start_date="20260304"),
        *moved(plain, 905, vehicle="unnamed", trip="f"),
        *moved(plain, 1200, vehicle="silent about all", trip=""),
        *moved(plain, 0, vehicle="yesterday's date", start_date="20260228"),
        *(Sight(s.time_s, s.x_m, vehicle="flaps", trip="t1" if s.x_m % 700 else "t3") for s in plain),
        *(Sight(s.time_s, s.x_m + 4000 * (rng.random() < 0.05), vehicle="jumps") for s in plain),
        *(Sight(EIGHT + 5 * (k // 2), 400 + 30 * k, vehicle="same moments", trip=f"t{1 + k % 2}") for k in range(60)),
    ]
    return Trace(plan, pings_of(sorted(sights, key=lambda sight: (sight.time_s, sight.vehicle))))


@seeds(25)
def test_on_paper(paper, seed):
    same_however_it_comes(paper, seed)


def test_on_paper_ping_by_ping(paper):
    one_by_one = read_trace(paper.plan, paper.pings, range(1, len(paper.pings)))
    assert canonical(one_by_one) == paper.whole
    kinds = {row[0] for row in paper.whole[3]}
    assert kinds >= {"off route", "skipped stop", "no progress", "stale", "late"}


def real(data_dir, city):
    return Trace(trace_plan(read_feed(data_dir / city / "gtfs.zip")), recorded_pings(data_dir, city))


@pytest.fixture(scope="module")
def kingston(data_dir):
    return real(data_dir, "kingston")


@pytest.fixture(scope="module")
def washington(data_dir):
    return real(data_dir, "washington")


@pytest.fixture(scope="module")
def portland(data_dir, tmp_path_factory):
    """Portland has no timetable: its feed is made of its own trips, see :mod:`benchmarks.portland_feed`."""
    recorded = read_recorded(data_dir / BREADCRUMBS)
    path = write_feed(recorded, passages(recorded), tmp_path_factory.mktemp("portland") / "gtfs.zip")
    pings = recorded_pings(data_dir, "portland")
    in_time = np.argsort(pings.time_s, kind="stable")  # the file does not keep to it
    return Trace(trace_plan(read_feed(path)), take_pings(pings, in_time))


@seeds(3)
def test_in_kingston(kingston, seed):
    same_however_it_comes(kingston, seed)


@seeds(4)
def test_in_washington(washington, seed):
    same_however_it_comes(washington, seed)


@seeds(3)
def test_in_portland(portland, seed):
    same_however_it_comes(portland, seed)


def test_the_three_agencies_have_something_to_compare(kingston, washington, portland):
    for city, least in ((kingston, 500), (washington, 500), (portland, 100)):
        assert min(len(table) for table in city.whole) > least
