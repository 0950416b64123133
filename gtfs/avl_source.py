"""Sources of live positions: how often they are looked at, and whether they live."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gtfs.clock import local_text

POLL_S = 15.0
TIMEOUT_S = 10.0
MAX_WAIT_S = 300.0
"""A dead source is tried at least every five minutes."""
SILENT_S = 300.0
"""A feed that repeats one message for so long is as good as dead."""
MAX_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look, and the clock that is looked at; tests bring their own.

    ``now_s`` gives epoch seconds, ``sleep`` waits for seconds.
    """

    poll_s: float = POLL_S
    timeout_s: float = TIMEOUT_S
    now_s: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class ReadSoFar:
    """How far sources were read, in plain values: what goes on from them after a restart reads nothing twice.

    A source is marked before it hands on what was read.

    Attributes
    ----------
    files
        Files of a folder that were read whole: when they were last written to, in nanoseconds, and their bytes.
    told_s
        When the newest message of a URL or a file was published, epoch seconds.
    pings
        How many pings of a recording were handed on.
    """

    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    told_s: dict[str, float] = field(default_factory=dict)
    pings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source fell silent, is still, or is back.

    Attributes
    ----------
    alive
        Whether it gives positions again.
    since_s
        Since when that is so, epoch seconds.
    retry_s
        In how many seconds it is tried again.
    what
        What happened, in words.
    """

    source: str
    alive: bool
    since_s: float
    retry_s: float
    what: str


@dataclass(slots=True)
class Health:
    """Whether a source lives: since when it fails, how often it failed, when it last said something new."""

    source: str
    pace: Pace
    heard_s: float
    silent_s: float | None = None
    failures: int = 0

    def failed(self, why: str) -> SourceState:
        """It failed once more: what to tell, and how long to wait."""
        since_s = self._since(self.pace.now_s())
        wait_s = min(self.pace.poll_s * 2**self.failures, MAX_WAIT_S)
        self.failures = min(self.failures + 1, MAX_DOUBLINGS)
        what = f"unreachable since {local_text(since_s, 'UTC')} ({why}), trying again in {wait_s:g} s"
        return SourceState(self.source, alive=False, since_s=since_s, retry_s=wait_s, what=what)

    def quiet(self) -> Iterator[SourceState]:
        """It answers but says nothing new: told where it had failed, and once where that lasts long."""
        if self.failures:
            yield self._back()
        if self.silent_s is None and self.pace.now_s() - self.heard_s >= SILENT_S:
            since_s = self._since(self.heard_s)
            what = f"nothing new since {local_text(since_s, 'UTC')}, looking again in {self.pace.poll_s:g} s"
            yield SourceState(self.source, alive=False, since_s=since_s, retry_s=self.pace.poll_s, what=what)

    def heard(self) -> Iterator[SourceState]:
        """It said something new: told where it had been silent."""
        if self.silent_s is not None:
            yield self._back()
        self.heard_s = self.pace.now_s()

    def _back(self) -> SourceState:
        now_s = self.pace.now_s()
        what = f"back at {local_text(now_s, 'UTC')} after {now_s - self._since(now_s):.0f} s"
        self.silent_s, self.failures = None, 0
        return SourceState(self.source, alive=True, since_s=now_s, retry_s=self.pace.poll_s, what=what)

    def _since(self, moment_s: float) -> float:
        if self.silent_s is None:
            self.silent_s = moment_s
        return self.silent_s
