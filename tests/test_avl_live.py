"""Live positions: folders that fill, servers that fail and come back, recordings played; with a clock of the test."""

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from gtfs.avl import read_pings
from gtfs.avl_batch import Batch
from gtfs.avl_columns import read_column_map
from gtfs.avl_fetch import fetch
from gtfs.avl_live import follow
from gtfs.avl_source import Pace, ReadSoFar, SourceState
from networks.faults import InputError, RunError
from tests.made_positions import bus, positions

COLUMNS = Path(__file__).parents[1] / "docs" / "columns"
NOON_S = 1778673600


class Clock:
    """Time that passes only while somebody sleeps; what is to happen happens then."""

    def __init__(self, *happenings: Callable[[], object]) -> None:
        self.time_s = float(NOON_S)
        self.slept_s: list[float] = []
        self.happenings = list(happenings)

    def now_s(self) -> float:
        """Epoch seconds."""
        return self.time_s

    def sleep(self, seconds: float) -> None:
        """Let time pass, and then what comes next happen."""
        self.time_s += seconds
        self.slept_s.append(seconds)
        if self.happenings:
            self.happenings.pop(0)()

    @property
    def pace(self) -> Pace:
        """The usual pace by this clock."""
        return Pace(now_s=self.now_s, sleep=self.sleep, timeout_s=2.0)


def nothing() -> None:
    """A look at which nothing is new."""


def message(time_s: int, *names: str) -> bytes:
    return positions([bus(name, time_s) for name in names or ("12",)], time_s)


def times_of(events: list[Batch | SourceState]) -> list[list[float]]:
    return [event.pings.time_s.tolist() for event in events if isinstance(event, Batch)]


def put(path: Path, content: bytes, written_s: float = NOON_S - 60) -> None:
    path.write_bytes(content)
    os.utime(path, (written_s, written_s))


def test_files_of_a_folder_come_by_their_headers_and_then_as_they_appear(tmp_path):
    put(tmp_path / "a.pb", message(NOON_S + 30))
    put(tmp_path / "b.pb", message(NOON_S))
    clock = Clock(nothing, lambda: put(tmp_path / "0.pb", message(NOON_S + 45)))
    events = list(islice(follow(str(tmp_path), pace=clock.pace), 3))
    assert times_of(events) == [[NOON_S], [NOON_S + 30], [NOON_S + 45]]
    assert clock.slept_s == [15, 15]


def test_a_file_that_grows_is_not_read_by_halves(tmp_path):
    whole = message(NOON_S, "12", "13")
    half = len(message(NOON_S, "12"))
    put(tmp_path / "a.pb", whole[:half], NOON_S)
    clock = Clock(
        lambda: put(tmp_path / "a.pb", whole[: half + 9], NOON_S + 15),
        lambda: put(tmp_path / "a.pb", whole, NOON_S + 30),
    )
    (event,) = islice(follow(str(tmp_path), pace=clock.pace), 1)
    assert isinstance(event, Batch)
    assert event.pings.vehicle.texts == ("12", "13")
    assert clock.slept_s == [15, 15, 15]


def test_a_message_written_over_comes_again_only_with_another_time(tmp_path):
    path = tmp_path / "now.pb"
    put(path, message(NOON_S))
    clock = Clock(
        lambda: put(path, message(NOON_S), NOON_S - 50),
        lambda: put(path, message(NOON_S + 30), NOON_S - 40),
    )
    assert times_of(list(islice(follow(str(tmp_path), pace=clock.pace), 2))) == [[NOON_S], [NOON_S + 30]]
    assert clock.slept_s == [15, 15]


def test_a_broken_file_is_tried_again_and_told_once(tmp_path):
    put(tmp_path / "a.pb", b"<html>")
    clock = Clock(nothing, nothing, lambda: put(tmp_path / "b.pb", message(NOON_S)))
    told, good = islice(follow(str(tmp_path), pace=clock.pace), 2)
    (notice,) = told.notices
    assert (notice.code, notice.severity, notice.file) == ("RT_PARSE", "error", str(tmp_path / "a.pb"))
    assert notice.value.startswith("this is HTML")
    assert (len(told.pings), len(good.pings)) == (0, 1)


def test_a_broken_file_that_is_mended_is_never_told(tmp_path):
    put(tmp_path / "a.pb", message(NOON_S)[:-2])
    clock = Clock(lambda: put(tmp_path / "a.pb", message(NOON_S), NOON_S - 50))
    (event,) = islice(follow(str(tmp_path), pace=clock.pace), 1)
    assert (len(event.pings), event.notices) == (1, ())


def test_tables_in_a_folder_are_read_when_they_are_whole(tmp_path):
    text = "event_timestamp,vehicle_id,latitude,longitude\n2026-05-13T12:00:00Z,12,43.25,76.95\n"
    put(tmp_path / "hour.csv", text.encode())
    put(tmp_path / "wrong.csv", b"bus,when\n1,2\n")
    first, second = islice(follow(str(tmp_path), pace=Clock().pace), 2)
    assert first.pings.time_s.tolist() == [NOON_S]
    assert second.notices[0].code == "AVL_COLUMN"


def test_a_folder_that_vanishes_is_told_and_when_it_is_back(tmp_path):
    folder, away = tmp_path / "live", tmp_path / "away"
    folder.mkdir()

    def come_back() -> None:
        away.rename(folder)
        put(folder / "a.pb", message(NOON_S))

    clock = Clock(lambda: folder.rename(away), nothing, come_back)
    events = list(islice(follow(str(folder), pace=clock.pace), 4))
    assert [event.alive for event in events[:3]] == [False, False, True]
    assert [event.retry_s for event in events[:2]] == [15, 30]
    assert events[0].what == (
        "unreachable since 2026-05-13T12:00:15+00:00 (No such file or directory), trying again in 15 s"
    )
    assert events[2].what == "back at 2026-05-13T12:01:00+00:00 after 45 s"
    assert times_of(events) == [[NOON_S]]


def test_a_source_that_says_nothing_new_for_five_minutes_is_told_once(tmp_path):
    put(tmp_path / "a.pb", message(NOON_S))
    clock = Clock(*[nothing] * 29, lambda: put(tmp_path / "b.pb", message(NOON_S + 450)))
    _, silent, back, _ = islice(follow(str(tmp_path), pace=clock.pace), 4)
    assert (silent.alive, silent.since_s) == (False, NOON_S)
    assert silent.what.startswith("nothing new since 2026-05-13T12:00:00+00:00")
    assert (back.alive, back.since_s) == (True, NOON_S + 450)


def test_an_interruption_passes(tmp_path):
    def interrupt() -> None:
        raise KeyboardInterrupt

    clock = Clock(interrupt)
    with pytest.raises(KeyboardInterrupt):
        next(follow(str(tmp_path), pace=clock.pace))


Answer = tuple[int, dict[str, str], bytes]


def ok(content: bytes, **headers: str) -> Answer:
    return 200, {name.replace("_", "-"): value for name, value in headers.items()}, content


@contextmanager
def serving(*answers: Answer) -> Iterator[str]:
    """A server that gives these answers in turn, the last one for ever; its URL."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Give the next answer."""
            status, headers, content = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed.pb"
        finally:
            server.shutdown()
            thread.join()


def test_a_url_is_polled_and_the_same_message_skipped():
    with serving(ok(message(NOON_S)), ok(message(NOON_S)), ok(message(NOON_S + 30))) as url:
        clock = Clock()
        events = list(islice(follow(url, pace=clock.pace), 2))
    assert times_of(events) == [[NOON_S], [NOON_S + 30]]
    assert clock.slept_s == [15, 15]


def test_a_message_without_a_time_is_skipped_when_it_is_the_same():
    bare = positions([bus("12", NOON_S)])
    with serving(ok(bare), ok(bare), ok(positions([bus("12", NOON_S + 9)]))) as url:
        assert times_of(list(islice(follow(url, pace=Clock().pace), 2))) == [[NOON_S], [NOON_S + 9]]


def test_a_dead_url_is_tried_ever_more_seldom_until_it_is_back():
    broken = [
        (503, {}, b""),
        ok(b"<html>Sorry</html>"),
        ok(b""),
        ok(message(NOON_S)[:-3]),
        (404, {}, b""),
        (500, {}, b""),
    ]
    with serving(*broken, (500, {}, b""), ok(message(NOON_S)), (500, {}, b""), ok(message(NOON_S))) as url:
        clock = Clock()
        events = list(islice(follow(url, pace=clock.pace), 11))
    states = [event for event in events if isinstance(event, SourceState)]
    assert [state.alive for state in states] == [False] * 7 + [True, False, True]
    assert [state.retry_s for state in states[:7]] == [15, 30, 60, 120, 240, 300, 300]
    assert {state.since_s for state in states[:7]} == {NOON_S}
    assert "(503 Service Unavailable)" in states[0].what
    assert "(this is HTML, a page for people)" in states[1].what
    assert states[8].retry_s == 15
    assert times_of(events) == [[NOON_S]]


def test_nobody_answers():
    with serving(ok(b"")) as url:
        pass
    (event,) = islice(follow(url, pace=Clock().pace), 1)
    assert (event.alive, event.source) == (False, url)
    assert "Connection refused" in event.what


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ok(b"x" * 2000), "it sends over 1,000 bytes"),
        (ok(b"x" * 100, Content_Length="200"), "cut short"),
        ((302, {"Location": "file:///etc/hostname"}, b""), "not allowed"),
        ((302, {"Location": "ftp://127.0.0.1/feed.pb"}, b""), "it redirects to ftp:, which is not followed"),
        ((301, {"Location": "/feed.pb"}, b""), "infinite loop"),
    ],
)
def test_what_a_server_may_not_do(answer, said):
    with serving(answer) as url, pytest.raises(RunError, match=said) as caught:
        fetch(url, 2.0, limit_bytes=1000)
    assert caught.value.code == "AVL_SOURCE"


def test_a_redirection_within_http_is_followed():
    with serving(ok(message(NOON_S))) as there, serving((302, {"Location": there}, b"")) as url:
        assert fetch(url, 2.0) == message(NOON_S)


def test_keys_in_a_url_are_not_shown():
    with serving(ok(b"")) as url:
        secret = url.replace("//", "//user:word@") + "?key=secret"
        (event,) = islice(follow(secret, pace=Clock().pace), 1)
        with pytest.raises(RunError) as caught:
            fetch(secret.replace("http:", "https:"), 2.0)
    assert event.source == url
    assert not any(word in f"{event}{caught.value}" for word in ("secret", "word"))


@pytest.mark.parametrize("source", ["file:///etc/hostname", "ftp://127.0.0.1/feed.pb", "no/such/folder"])
def test_only_http_is_a_url(source):
    with pytest.raises(InputError) as caught:
        next(follow(source))
    assert caught.value.code == "FILE_MISSING"


def recording(folder: Path) -> Path:
    for step, late_s in enumerate((0, 10, 25, 25, 3600)):
        (folder / f"{step}.pb").write_bytes(message(NOON_S + late_s, f"v{step}"))
    return folder


@pytest.mark.parametrize("speed", [1, 10, 60])
def test_a_recording_comes_when_it_is_due(tmp_path, speed):
    clock = Clock()
    found = []
    for event in follow(str(recording(tmp_path)), speed=speed, pace=clock.pace):
        found += [(time_s, clock.time_s - NOON_S) for time_s in event.pings.time_s]
    for time_s, came_s in found:
        due_s = (time_s - NOON_S) / speed
        assert due_s - 1e-3 <= came_s <= due_s + 1 + 1e-3
    assert [time_s - NOON_S for time_s, _ in found] == [0, 10, 25, 25, 3600]


def test_an_endless_speed_never_waits(tmp_path):
    clock = Clock()
    (event,) = follow(str(recording(tmp_path)), speed=math.inf, pace=clock.pace)
    assert len(event.pings) == 5
    assert clock.slept_s == []


def test_a_recording_without_a_sound_row_is_played_as_what_is_wrong_with_it(tmp_path):
    (tmp_path / "t.csv").write_text("event_timestamp,vehicle_id,latitude,longitude\n2026-05-13T12:00:00Z,12\n")
    (event,) = follow(str(tmp_path / "t.csv"), pace=Clock().pace)
    assert (len(event.pings), [notice.code for notice in event.notices]) == (0, ["CSV_ROW"])


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_a_speed_must_be_positive(tmp_path, speed):
    with pytest.raises(InputError) as caught:
        follow(str(recording(tmp_path)), speed=speed)
    assert caught.value.code == "CONFIG_VALUE"


def test_kingston_played_is_kingston_read(data_dir):
    path, columns = data_dir / "kingston" / "vehicle_positions.csv.gz", read_column_map(COLUMNS / "kingston.toml")
    (whole,) = read_pings([path], columns)
    clock = Clock()
    parts = [event for event in follow(str(path), columns, speed=600, pace=clock.pace) if isinstance(event, Batch)]
    assert len(parts) > 10
    assert clock.time_s - NOON_S == pytest.approx((whole.told_s.max() - whole.told_s[0]) / 600, abs=1.1)
    np.testing.assert_array_equal(np.concatenate([part.pings.time_s for part in parts]), whole.pings.time_s)
    assert [part.notices for part in parts if part.notices] == [whole.notices]


def test_what_was_read_before_a_restart_is_not_read_again(tmp_path):
    put(tmp_path / "a.pb", message(NOON_S))
    text = "event_timestamp,vehicle_id,latitude,longitude\n2026-05-13T12:00:00Z,12,43.25,76.95\n"
    put(tmp_path / "hour.csv", text.encode())
    so_far = ReadSoFar()
    assert times_of(list(islice(follow(str(tmp_path), pace=Clock().pace, so_far=so_far), 2))) == [[NOON_S], [NOON_S]]
    clock = Clock(lambda: put(tmp_path / "b.pb", message(NOON_S + 30)))
    assert times_of(list(islice(follow(str(tmp_path), pace=clock.pace, so_far=so_far), 1))) == [[NOON_S + 30]]
    assert set(so_far.files) == {str(tmp_path / name) for name in ("a.pb", "b.pb", "hour.csv")}


def test_a_recording_goes_on_where_it_was_left(tmp_path):
    rows = [f"2026-05-13T12:00:{second:02d}Z,12,43.25,76.95\n" for second in range(0, 50, 10)]
    rows[3] = rows[3].replace("43.25", "943.25")
    path = tmp_path / "day.csv"
    path.write_text("event_timestamp,vehicle_id,latitude,longitude\n" + "".join(rows))
    so_far = ReadSoFar()
    begun = list(islice(follow(str(path), speed=1.0, pace=Clock().pace, so_far=so_far), 2))
    assert times_of(begun) == [[NOON_S], [NOON_S + 10]]
    rest = list(follow(str(path), speed=1.0, pace=Clock().pace, so_far=so_far))
    assert times_of(rest) == [[NOON_S + 20], [NOON_S + 40]]
    assert [notice.count for batch in (*begun, *rest) for notice in batch.notices] == [1]
    assert not list(follow(str(path), speed=1.0, pace=Clock().pace, so_far=so_far))
