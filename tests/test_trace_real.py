"""Real traces: arrivals against those that the agency's own system published, and what must hold of any trace."""

import gzip
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from gtfs.feed import read_feed
from gtfs.trace_kernels import ARRIVAL, DEPARTURE, MATCHED, NOT_STARTED
from gtfs.trace_plan import trace_plan
from gtfs.trip_claims import Claim, ClaimBook, Evidence
from tests.paper_traces import day_of, read_trace, recorded_pings

EARLY_S, LATE_S = -60, 300
KNOWN_S = 120


def real(data_dir, city):
    return read_trace(trace_plan(read_feed(data_dir / city / "gtfs.zip")), recorded_pings(data_dir, city))


@pytest.fixture(scope="module")
def kingston(data_dir):
    return real(data_dir, "kingston")


@pytest.fixture(scope="module")
def washington(data_dir):
    return real(data_dir, "washington")


@dataclass(frozen=True, slots=True)
class Arrival:
    """An arrival that the agency published, and ours: NaN where it is not known."""

    agency_s: float
    ours_s: float
    scheduled_s: float
    is_seen: bool


@pytest.fixture(scope="module")
def arrivals(kingston, data_dir) -> list[Arrival]:
    """The agency's arrivals of 15 January 2026 while a vehicle was on the trip: from its first ping to its last.

    Where two vehicles said that they were on a trip, the agency's is the one that it names after ``#``, or the one
    whose pings lie around the moment. ``is_seen``: it does so between two pings of the vehicle on that trip that are no
    more than two minutes apart, which is what "inside the trace's windows" means; the trace was recorded in eight
    windows of five to forty minutes, and vehicles fall silent.
    """
    with gzip.open(data_dir / "kingston" / "agency_arrivals.csv.gz") as stream:
        table = pd.read_csv(stream, dtype=str)
    assert len(table) == 609
    book, day = ClaimBook(kingston.plan), day_of("2026-01-15")
    found = []
    for trip_id, sequence, arr in zip(table["trip_id"], table["seq"], table["arr"], strict=True):
        said, _, vehicle = trip_id.partition("#")
        (trip,) = book.look_up(Claim(said, "", "", "")).trips
        found += _arrivals(kingston, (trip, day, vehicle), int(sequence), float(arr))
    return found


def _arrivals(read, who, sequence, agency_s):
    trip, day, vehicle = who
    calls = slice(*read.plan.calls.start[trip : trip + 2])
    place = int(np.flatnonzero(read.plan.timetable.calls.stop_sequence[calls] == sequence)[0])
    for row, one in enumerate(read.performed):
        if (one.trip, one.day) == (trip, day) and read.replay.vehicles[one.vehicle].endswith(vehicle):
            on_line = np.isin(read.matched.found, [MATCHED, NOT_STARTED]) & (read.matched.off_m <= 60)
            seen_s = read.matched.time_s[(read.matched.performed == row) & on_line]
            after = int(np.searchsorted(seen_s, agency_s))
            if 0 < after < len(seen_s):
                visit = read.visits.start[row] + place
                is_seen = bool(seen_s[after] - seen_s[after - 1] <= KNOWN_S)
                yield Arrival(agency_s, read.visits.arrival_s[visit], read.visits.scheduled_arrival_s[visit], is_seen)


def test_arrivals_in_kingston_are_those_of_the_agency(arrivals):
    """Nothing was tuned on these arrivals but what :class:`gtfs.trace_settings.TraceSettings` says of itself."""
    error_s = np.array([one.ours_s - one.agency_s for one in arrivals])
    comparable = np.isfinite(error_s)
    seen = np.array([one.is_seen for one in arrivals])
    assert len(arrivals) == pytest.approx(582, abs=5)  # of 609, while the vehicle was on the trip
    assert comparable.sum() >= 550
    assert (comparable & seen).sum() >= 0.95 * seen.sum()
    assert np.abs(error_s[comparable]).mean() <= 7.5
    assert abs(np.median(error_s[comparable])) < 2
    assert np.quantile(np.abs(error_s[comparable]), 0.9) < 20


def test_kingston_is_on_time_where_the_agency_says_so(arrivals):
    known = [one for one in arrivals if np.isfinite(one.ours_s)]
    same = [_verdict(one.ours_s - one.scheduled_s) == _verdict(one.agency_s - one.scheduled_s) for one in known]
    assert np.mean(same) >= 0.97


def _verdict(deviation_s):
    return "early" if deviation_s < EARLY_S else "late" if deviation_s > LATE_S else "on time"


def test_all_trips_of_washington_are_found(washington):
    claimed = {claim.trip for claim in washington.replay.claims} - {""}
    trip_ids = washington.plan.timetable.trips.trip_ids
    assert len(claimed) == 132
    assert {trip_ids[one.trip] for one in washington.performed} == claimed
    assert {one.evidence for one in washington.performed} == {Evidence.TRIP_ID}
    assert {one.day for one in washington.performed} == {day_of("2026-02-16")}


def test_all_trips_of_washington_are_seen_on_their_lines_but_three(washington):
    """Of three the trace has nothing but the time before their departure."""
    matched, trip_ids = washington.matched, washington.plan.timetable.trips.trip_ids
    seen = {trip_ids[trip] for trip in np.unique(matched.trip[matched.found == MATCHED]).tolist()}
    ahead_s, off_m = {}, {}
    for row, one in enumerate(washington.performed):
        if trip_ids[one.trip] not in seen:
            pings = matched.performed == row
            assert set(matched.found[pings].tolist()) == {NOT_STARTED}
            ahead_s[trip_ids[one.trip]] = washington.plan.trip_span_s[one.trip] - matched.clock_s[pings][-1]
            off_m[trip_ids[one.trip]] = matched.off_m[pings].min()
    assert sorted(ahead_s) == ["14234100", "24235100", "35200100"]
    for trip_id in ("14234100", "24235100"):
        assert ahead_s[trip_id][0] > 0  # it is not due to depart by its last ping
        assert off_m[trip_id] > 60  # and never on its line


@pytest.mark.parametrize("city", ["kingston", "washington"])
def test_no_vehicle_drives_backward_and_no_stop_is_out_of_order(city, request):
    read = request.getfixturevalue(city)
    for row in range(len(read.performed)):
        on_line = (read.matched.performed == row) & (read.matched.found == MATCHED)
        assert (np.diff(read.matched.time_s[on_line]) > 0).all()
        assert (np.diff(read.matched.way_m[on_line]) >= 0).all()
        visits = slice(*read.visits.start[row : row + 2])
        arrival_s, departure_s = read.visits.arrival_s[visits], read.visits.departure_s[visits]
        assert (np.diff(arrival_s[np.isfinite(arrival_s)]) >= 0).all()
        assert (np.diff(departure_s[np.isfinite(departure_s)]) >= 0).all()
        assert not (departure_s < arrival_s).any()


@pytest.mark.parametrize("city", ["kingston", "washington"])
def test_nothing_is_told_twice_and_nothing_of_what_nobody_saw(city, request):
    read = request.getfixturevalue(city)
    keys = Counter(
        zip(read.crossings.performed.tolist(), read.crossings.call.tolist(), read.crossings.kind.tolist(), strict=True)
    )
    assert set(keys.values()) == {1}
    told = np.isin(read.crossings.kind, (ARRIVAL, DEPARTURE))
    assert (read.crossings.gap_s[told] > 0).all()
    assert (read.crossings.gap_s <= 1800).all()
    assert (read.visits.arrival_gap_s[np.isfinite(read.visits.arrival_s)] <= KNOWN_S).all()
    assert (read.visits.departure_gap_s[np.isfinite(read.visits.departure_s)] <= KNOWN_S).all()
    on_line = read.matched.found == MATCHED
    assert (read.matched.off_m[on_line] <= 60).all()
    assert np.isfinite(read.matched.deviation_s[on_line]).all()
    assert np.isnan(read.matched.way_m[~on_line]).all()
