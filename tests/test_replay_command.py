"""``bagdar replay`` as a dispatcher meets it: files, streams, restarts, faults; on a street made on paper."""

import csv
import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from google.transit.gtfs_realtime_pb2 import FeedMessage

from scenarios.saved_state import save_state
from tests import command
from tests.command import Done
from tests.made_positions import bus, positions
from tests.paper_traces import STOPS_M, STREET, Sight, calls, degrees, moment, ride, shape_text, stops_text
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


def bagdar(*words: object, cwd: Path) -> Done:
    return command.bagdar("replay", *words, cwd=cwd)


def started(*words: object, cwd: Path) -> subprocess.Popen[bytes]:
    """A stream in a process of its own, once it has kept something."""
    folder = cwd / str(words[-1])
    stream = subprocess.Popen([*COMMAND, *map(str, words)], cwd=cwd, stdout=subprocess.DEVNULL)
    until_s = time.monotonic() + 60
    while not (folder / "state.npz").exists() and time.monotonic() < until_s:
        time.sleep(0.1)
    return stream


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def write_positions(path: Path, sights, names=("latitude", "longitude"), north_m=0.0) -> None:
    """TIDES vehicle_locations; some metres north of the street, with other names of the columns of places."""
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["event_timestamp", "vehicle_id", "trip_id_performed", *names])
        for sight in sights:
            lon, lat = degrees(OFF_M + sight.x_m, north_m + sight.y_m)
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
    words = ["--gtfs", "feed.zip", "--avl", "positions.csv", "--follow"]
    # the whole trace lasts 1,510 s: played in 25 s, killed once something is kept
    stream = started(*words, "--speed", "60", "-o", "killed", cwd=street)
    stream.kill()
    stream.wait()
    assert not (street / "killed" / "summary.json").exists()
    done = bagdar(*words, "--speed", 1e6, "-o", "killed", cwd=street)
    assert done.returncode == 0, done.stderr
    assert "going on from" in done.stderr
    for name in TABLES:
        assert (street / "killed" / name).read_bytes() == (street / "whole" / name).read_bytes(), name
    assert not (street / "killed" / "state.npz").exists()
    # what was read before is not read again
    assert summary(street / "killed")["pings"] == summary(street / "whole")["pings"]
    assert summary(street / "whole")["pings"]["read"] == 102


def test_a_stream_that_is_terminated_writes_what_it_knows_and_keeps_others_out_meanwhile(street):
    words = ["--gtfs", "feed.zip", "--avl", "positions.csv", "--follow"]
    stream = started(*words, "--speed", "60", "-o", "terminated", cwd=street)
    for more in ([*words, "--speed", 1e6], words[:-1]):
        done = bagdar(*more, "-o", "terminated", cwd=street)
        assert done.returncode == 2
        assert done.stderr.startswith("bagdar: FOLDER_BUSY: terminated: another command is working here")
    stream.send_signal(signal.SIGTERM)
    assert stream.wait(60) == 0
    folder = street / "terminated"
    assert {*TABLES, "report.html", "summary.json"} <= {path.name for path in folder.iterdir()}
    assert 0 < summary(folder)["pings"]["read"] < 102
    assert not [path for path in folder.iterdir() if path.name.startswith((".", "state"))]


def test_a_file_with_one_vehicle_after_the_other_loses_nothing(street):
    sights = [*ride(AT_8 + 1000, vehicle="second", trip="t2"), *ride(AT_8)]
    write_positions(street / "by_vehicle.csv", [*sights[60:], *sights[:60]])
    done = bagdar("--gtfs", "feed.zip", "--avl", "by_vehicle.csv", "-o", "by_vehicle", cwd=street)
    assert done.returncode == 0, done.stderr
    for name in TABLES:
        assert (street / "by_vehicle" / name).read_bytes() == (street / "whole" / name).read_bytes(), name


POSITIONS = ("--avl", "positions.csv")


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--gtfs", "no.zip", *POSITIONS], "FILE_MISSING", "no.zip"),
        (["--avl", "no.csv"], "FILE_MISSING", "no.csv"),
        ([*POSITIONS, "--date", "2031-01-01"], "GTFS_DATE", ""),
        ([*POSITIONS, "--date", "20261399"], "GTFS_DATE", ""),
        ([*POSITIONS, "--date", "2026-05-13"], "AVL_TRIP", "of 2026-03-04, and 2026-05-13 was asked for. Give a day"),
        ([*POSITIONS, "--on-time", "soon"], "CONFIG_VALUE", "such as -60,300"),
        ([*POSITIONS, "--on-time", "60,300"], "CONFIG_VALUE", "Early is negative: one minute is -60"),
        ([*POSITIONS, "--speed", "3"], "CONFIG_VALUE", "Add --follow"),
        ([*POSITIONS, "--follow", "--into", "city.toml"], "CONFIG_VALUE", "Leave out --follow"),
        (["--avl", "https://example.org/positions.pb?key=secret"], "CONFIG_VALUE", "org/positions.pb is read again"),
        (["--avl", "page.pb"], "RT_PARSE", "this is HTML"),
        (["--avl", "empty.pb"], "RT_PARSE", "it is empty"),
        (["--avl", "strangers.csv"], "AVL_TRIP", "none of 4 pings"),
        (
            ["--avl", "years_later.csv"],
            "AVL_TRIP",
            "of 2036-03-01, and the feed's trips run from 2026-01-01 to 2026-12-31",
        ),
        (["--avl", "swapped.csv"], "AVL_PLACE", "9.01, 0.00; the stops of the feed from 0.00, 8.98"),
        (["--avl", "elsewhere.csv"], "AVL_PLACE", "Give the feed of the place where the vehicles drive"),
        ([*POSITIONS, "--columns", "map.toml"], "CONFIG_KEY", "Did you mean 'latitude'?"),
    ],
)
def test_faults_are_one_line_and_leave_no_results(street, words, code, hint):
    (street / "page.pb").write_text("<html>not here</html>")
    (street / "empty.pb").write_bytes(b"")
    (street / "map.toml").write_text('[columns]\nlatitud = "lat"\n')
    write_positions(street / "strangers.csv", ride(AT_8, trip="other", ways_m=(0, 300)))
    write_positions(street / "years_later.csv", ride(AT_8 + 3650 * 86_400, trip="other"))
    write_positions(street / "swapped.csv", ride(AT_8), names=("longitude", "latitude"))
    write_positions(street / "elsewhere.csv", ride(AT_8), north_m=5e6)
    given = words if "--gtfs" in words else ["--gtfs", "feed.zip", *words]
    done = bagdar(*given, "-o", f"refused-{code}", cwd=street)
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("bagdar: ")]
    assert line.startswith(f"bagdar: {code}: ")
    assert hint in line
    assert "secret" not in line
    assert not (street / f"refused-{code}").exists()


def test_results_are_kept_out_of_the_folders_that_are_read(street):
    for name in ("feed", "messages"):
        (street / name).mkdir(exist_ok=True)
    for words in (
        ["--gtfs", "feed", *POSITIONS, "-o", "feed"],
        ["--gtfs", "feed.zip", "--avl", "messages", "-o", "messages"],
    ):
        done = bagdar(*words, cwd=street)
        assert done.returncode == 2
        assert "CONFIG_VALUE" in done.stderr
        assert "among the files that are read" in done.stderr


def test_positions_add_up_to_what_was_read(street):
    """A vehicle without a trip on another day, a row that cannot be read, and all of the two buses."""
    sights = [*ride(AT_8), *ride(AT_8 + 1000, vehicle="second", trip="t2")]
    stray = Sight(AT_8 + 5 * 86_400, 2000, vehicle="third", trip="")
    write_positions(street / "more.csv", [*sights, stray, replace(stray, time_s=1e6)])
    done = bagdar("--gtfs", "feed.zip", "--avl", "more.csv", "-o", "more", cwd=street)
    assert done.returncode == 0, done.stderr
    pings = summary(street / "more")["pings"]
    assert (pings["read"], pings["left_out"], pings["other_days"]) == (104, 1, 1)
    assert sum(count for name, count in pings.items() if name != "read") == 104


def test_a_broken_message_among_others_is_told_and_the_rest_is_read(street):
    folder = street / "messages"
    folder.mkdir(exist_ok=True)
    for row, sight in enumerate(ride(AT_8)):
        lon, lat = degrees(OFF_M + sight.x_m, sight.y_m)
        vehicle = bus("12", int(sight.time_s), trip_id="t1", latitude=lat, longitude=lon)
        (folder / f"{row:03d}.pb").write_bytes(positions([vehicle], int(sight.time_s)))
    (folder / "007.pb").write_bytes(b"<html>")
    done = bagdar("--gtfs", "feed.zip", "--avl", "messages", "-o", "broken", cwd=street)
    assert done.returncode == 0, done.stderr
    assert "RT_PARSE: messages/007.pb: this is HTML, a page for people. Not read. " in done.stderr
    (notice,) = summary(street / "broken")["notices"]
    assert (notice["code"], notice["count"]) == ("RT_PARSE", 1)
    assert summary(street / "broken")["pings"]["read"] == 50


def test_a_state_of_another_feed_is_refused(street):
    (street / "other").mkdir(exist_ok=True)
    save_state(street / "other" / "state.npz", {"identity": "another"})
    done = bagdar("--gtfs", "feed.zip", "--avl", "positions.csv", "--follow", "--speed", 1e6, "-o", "other", cwd=street)
    assert done.returncode == 2
    assert "STATE_FILE" in done.stderr or "RESULT_MISMATCH" in done.stderr
