"""``bagdar replay`` as a dispatcher meets it: files, streams, restarts, faults; on a street made on paper."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from google.transit.gtfs_realtime_pb2 import FeedMessage

from scenarios.saved_state import save_state
from tests.paper_traces import STOPS_M, STREET, calls, degrees, moment, ride, shape_text, stops_text
from tests.small_feed import packed

AT_8 = moment("2026-03-04T13:00")
OFF_M = 1_000_000
"""East of 0 degrees, where positions are taken for mistakes."""
TABLES = (
    "stop_visits.csv",
    "stop_visits.parquet",
    "trips_performed.csv",
    "trips_performed.parquet",
    "headways.csv",
    "deviations.parquet",
    "events.jsonl",
)
COMMAND = [sys.executable, "-c", "from scenarios.cli import main; main()", "replay"]


def bagdar(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=120, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def write_positions(path: Path, sights) -> None:
    """TIDES vehicle_locations."""
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["event_timestamp", "vehicle_id", "trip_id_performed", "latitude", "longitude"])
        for sight in sights:
            lon, lat = degrees(OFF_M + sight.x_m, sight.y_m)
            rows.writerow([datetime.fromtimestamp(sight.time_s, UTC).isoformat(), sight.vehicle, sight.trip, lat, lon])


@pytest.fixture(scope="module")
def street(tmp_path_factory) -> Path:
    """A folder with a feed of two trips, and the positions of their buses: one a little fast, one 400 s late."""
    folder = tmp_path_factory.mktemp("street")
    trips = STREET["trips"] + "12,daily,t2,way,b2\n"
    times = STREET["stop_times"] + calls("t2", *(29_400 + 120 * k for k in range(6)))
    tables = {
        "trips": trips,
        "stop_times": times,
        "stops": stops_text({f"s{k}": (OFF_M + way_m, 0) for k, way_m in enumerate(STOPS_M)}),
        "shapes": shape_text((OFF_M, 0), (OFF_M + STOPS_M[-1], 0)),
    }
    packed(folder / "feed.zip", {f"{name}.txt": text for name, text in (STREET | tables).items()})
    sights = [*ride(AT_8), *ride(AT_8 + 1000, vehicle="second", trip="t2")]
    write_positions(folder / "positions.csv", sights)
    done = bagdar("--gtfs", "feed.zip", "--avl", "positions.csv", "-o", "whole", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_files_give_tables_events_and_a_report(street):
    whole = street / "whole"
    with (whole / "stop_visits.csv").open() as stream:
        visits = list(csv.DictReader(stream))
    assert [(row["trip_id_performed"], row["punctuality"]) for row in visits[1:3] + visits[7:9]] == [
        ("t1", "on time"),  # 100 s where 120 are scheduled, so 20 and 40 s early
        ("t1", "on time"),
        ("t2", "late"),
        ("t2", "late"),
    ]
    events = [json.loads(line) for line in (whole / "events.jsonl").read_text().splitlines()]
    (late,) = [event for event in events if event["kind"] == "late"]
    assert (late["vehicle_id"], late["threshold"], len(late["pings"])) == ("second", 300.0, 2)
    assert json.loads((whole / "summary.json").read_text())["trips"]["performed"] == 2
    assert pq.read_table(whole / "deviations.parquet").num_rows == 102
    assert "<html" in (whole / "report.html").read_text()
    FeedMessage.FromString((whole / "trip_updates.pb").read_bytes())
    assert not [path for path in whole.iterdir() if path.name.startswith(".")]


def test_a_recording_that_is_played_gives_the_same_tables(street):
    done = bagdar(
        "--gtfs", "feed.zip", "--avl", "positions.csv", "--follow", "--speed", 1e6, "-o", "played", cwd=street
    )
    assert done.returncode == 0, done.stderr
    assert "late" in done.stdout  # events are told as they happen
    for name in TABLES:
        assert (street / "played" / name).read_bytes() == (street / "whole" / name).read_bytes(), name


def test_a_killed_stream_goes_on_and_gives_the_same_tables(street):
    words = ["--gtfs", "feed.zip", "--avl", "positions.csv", "--follow", "-o", "killed"]
    # the whole trace lasts 1,510 s: played in 25 s, killed once something is kept
    stream = subprocess.Popen([*COMMAND, *words, "--speed", "60"], cwd=street, stdout=subprocess.DEVNULL)
    until_s = time.monotonic() + 60
    while not (street / "killed" / "state.npz").exists() and time.monotonic() < until_s:
        time.sleep(0.1)
    os.kill(stream.pid, signal.SIGKILL)
    stream.wait()
    assert not (street / "killed" / "summary.json").exists()
    done = bagdar(*words, "--speed", 1e6, cwd=street)
    assert done.returncode == 0, done.stderr
    assert "going on from" in done.stderr
    for name in TABLES:
        assert (street / "killed" / name).read_bytes() == (street / "whole" / name).read_bytes(), name
    assert not (street / "killed" / "state.npz").exists()


def test_a_file_with_one_vehicle_after_the_other_loses_nothing(street):
    sights = [*ride(AT_8 + 1000, vehicle="second", trip="t2"), *ride(AT_8)]
    write_positions(street / "by_vehicle.csv", [*sights[60:], *sights[:60]])
    done = bagdar("--gtfs", "feed.zip", "--avl", "by_vehicle.csv", "-o", "by_vehicle", cwd=street)
    assert done.returncode == 0, done.stderr
    for name in TABLES:
        assert (street / "by_vehicle" / name).read_bytes() == (street / "whole" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--gtfs", "no.zip", "--avl", "positions.csv"], "FILE_MISSING"),
        (["--gtfs", "feed.zip", "--avl", "no.csv"], "FILE_MISSING"),
        (["--gtfs", "feed.zip", "--avl", "positions.csv", "--date", "2031-01-01"], "GTFS_DATE"),
        (["--gtfs", "feed.zip", "--avl", "positions.csv", "--date", "20261399"], "GTFS_DATE"),
        (["--gtfs", "feed.zip", "--avl", "positions.csv", "--on-time", "soon"], "CONFIG_VALUE"),
        (["--gtfs", "feed.zip", "--avl", "positions.csv", "--speed", "3"], "CONFIG_VALUE"),
        (["--gtfs", "feed.zip", "--avl", "page.pb"], "RT_PARSE"),
        (["--gtfs", "feed.zip", "--avl", "empty.pb"], "RT_PARSE"),
        (["--gtfs", "feed.zip", "--avl", "strangers.csv"], "AVL_TRIP"),
        (["--gtfs", "feed.zip", "--avl", "positions.csv", "--columns", "map.toml"], "CONFIG_KEY"),
    ],
)
def test_faults_are_one_line_and_leave_no_results(street, words, code):
    (street / "page.pb").write_text("<html>not here</html>")
    (street / "empty.pb").write_bytes(b"")
    (street / "map.toml").write_text('[columns]\nlatitud = "lat"\n')
    write_positions(street / "strangers.csv", ride(AT_8, trip="other", ways_m=(0, 300)))
    done = bagdar(*words, "-o", f"refused-{code}", cwd=street)
    assert done.returncode == 2, done.stderr
    assert f"bagdar: {code}: " in done.stderr
    folder = street / f"refused-{code}"
    assert not folder.exists() or not list(folder.iterdir())


def test_a_state_of_another_feed_is_refused(street):
    (street / "other").mkdir(exist_ok=True)
    save_state(street / "other" / "state.npz", {"identity": "another"})
    done = bagdar("--gtfs", "feed.zip", "--avl", "positions.csv", "--follow", "--speed", 1e6, "-o", "other", cwd=street)
    assert done.returncode == 2
    assert "STATE_FILE" in done.stderr or "RESULT_MISMATCH" in done.stderr
