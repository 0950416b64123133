"""What every case is given: where data lies, where to build, how often to repeat, whom to tell; and shared figures."""

import os
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Measurement


@dataclass(frozen=True, slots=True)
class Setup:
    """Surroundings of a case.

    ``cache`` is a folder for what is built once; ``tell`` says a line to who watches. ``quick`` asks for three seeds
    where a claim needs ten.
    """

    data: Path
    cache: Path
    repeats: int
    tell: Callable[[str], None]
    quick: bool = False

    def real(self, name: str, wanted_by: str) -> Path | None:
        """A file or folder of the real data; None where it is absent, and then whoever wants it is left out aloud."""
        path = self.data / name
        if path.exists():
            return path
        self.tell(f"{wanted_by} is left out: {path} is not there (set BAGDAR_DATA)")
        return None


def data_folder() -> Path:
    """Folder of the real data: ``BAGDAR_DATA``, or ``../shared/data`` beside the project."""
    return Path(os.environ.get("BAGDAR_DATA", Path(__file__).parents[2] / "shared" / "data"))


def spread(metric: str, values: Sequence[float], unit: str) -> Iterator[Measurement]:
    """Median, least and greatest of repeated measurements."""
    yield Measurement(metric, statistics.median(values), unit)
    yield Measurement(f"{metric}/min", min(values), unit)
    yield Measurement(f"{metric}/max", max(values), unit)
