"""The built-in city's trace held against its timetable, as a dispatcher would do it. All of it is made up."""

from collections.abc import Callable
from pathlib import Path

from scenarios.demo.city import FEED
from scenarios.demo.trace import LOCATIONS, demo_trace
from scenarios.replay import ReplayOptions, replay_files
from scenarios.replay_tally import Tally

NOTE = (
    "Synthetic: the buses drove in simulation, and their positions, with noise, silences, a bus held at a stop and one "
    "on a detour, are made up. This is no statement about the real place."
)


def demo_replay(out_dir: Path, say: Callable[[str], None]) -> Tally:
    """Make the trace of a demo that was run into a folder, and replay it into ``replay`` there.

    Raises
    ------
    RunError
        RUNS_FAILED where the run that the trace is made of did not finish.
    """
    demo_trace(out_dir)
    city = out_dir / "city"
    options = ReplayOptions(feed=city / FEED, note=NOTE)
    return replay_files(options, [city / LOCATIONS], out_dir / "replay", say)
