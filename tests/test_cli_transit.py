"""``bagdar transit check`` as a user meets it."""

import json
from pathlib import Path

import pytest

from tests.command import Done, bagdar
from tests.small_feed import SOUND, changed, edited, packed


def check(*words: object) -> Done:
    return bagdar("transit", "check", *words)


def test_it_explains_itself_with_an_example():
    done = check("--help")
    assert done.returncode == 0
    assert "bagdar transit check gtfs.zip" in done.stdout


def test_a_sound_feed_is_told_in_figures(tmp_path):
    done = check(packed(tmp_path / "feed.zip", SOUND))
    days = "7 days with service from 2026-03-02 to 2026-03-10"
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "0 errors, 0 warnings, 0 info",
        "2 agencies, 2 routes (1 bus, 1 trolleybus), 6 stops",
        "3 trips with 9 calls, 11.1% of them without a time; 66.7% of the trips have a shape; 1 block",
        f"{days}; the busiest is 2026-03-08: 1 trip, 20 departures by headway",
    ]


def test_what_is_wrong_is_a_table_and_errors_end_with_2(tmp_path):
    stops = (
        SOUND["stops.txt"].replace("43.2590", "abc") + "m4,\x1b[2JLake,43.27,76.94,,,\nm5\x1b[2J,Lake,43.27,76.94,,,\n"
    )
    done = check(packed(tmp_path / "feed.zip", changed(stops=stops)))
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.splitlines()[:5] == [
        "severity  code             where        field     value  count  what to do",
        "error     GTFS_COORDINATE  stops.txt:4  stop_lat  abc    1      Write a number",
        "info      GTFS_UNUSED      stops.txt:8  stop_id   m4     2      No trip calls there: nothing has to be done",
        "",
        "1 error, 0 warnings, 2 info",
    ]


def test_a_foreign_value_is_cut_short_and_cannot_move_the_cursor(tmp_path):
    done = check(packed(tmp_path / "feed.zip", edited("routes", "12,3,", f"12,\x1b[2J{'x' * 90},")))
    assert done.returncode == 2
    assert f"  \N{REPLACEMENT CHARACTER}[2J{'x' * 35}…  1 " in done.stdout


@pytest.mark.parametrize(("members", "status"), [(SOUND, 0), (edited("stops", "43.2590", "abc"), 2)])
def test_json_has_the_same_for_programs(tmp_path, members, status):
    path = packed(tmp_path / "feed.zip", members)
    done = check(path, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (status, "")
    assert list(told) == ["feed", "tables", "summary", "notices", "counts"]
    assert told["feed"] == str(path)
    assert told["tables"]["stop_times"] == 9
    assert told["summary"]["busiest_day"] == "2026-03-08"
    assert told["counts"] == {"error": status // 2, "warning": 0, "info": 0}
    assert [(item["code"], item["row"], item["value"]) for item in told["notices"]] == [
        ("GTFS_COORDINATE", 4, "abc")
    ] * (status // 2)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_feed_that_cannot_be_read_is_one_line(tmp_path, options):
    path = packed(tmp_path / "feed.zip", edited("stops", "m3,Bazaar", 'm3,"Bazaar'))
    done = check(path, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"bagdar: CSV_ROW: {path}/stops.txt line 5: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("path", ["no.zip", "https://example.org/gtfs.zip"])
def test_a_feed_that_is_not_there_is_one_line(path):
    done = check(path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bagdar: FILE_MISSING: ")


def test_the_feeds_of_fortaleza_and_riga(data_dir: Path):
    fortaleza, riga = (check(data_dir / "feeds" / f"{name}.zip") for name in ("fortaleza", "riga"))
    assert fortaleza.returncode == 2
    assert "stop_times.txt:820  arrival_time  00:00:00 after 23:58:00  4" in fortaleza.stdout
    assert riga.returncode == 0
    assert "80 routes (55 bus, 17 trolleybus, 8 tram)" in riga.stdout
