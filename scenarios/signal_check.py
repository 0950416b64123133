"""What the programs of a network violate, for people and for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from networks.netxml import read_network
from scenarios.text_table import aligned, counted, shown
from signals.checks import SignalNotice, check_network

HEAD = ("severity", "code", "signal", "where", "found", "count", "what it must be")
SEVERITIES = ("error", "warning")


@dataclass(frozen=True, slots=True)
class SignalCheck:
    """A network's signals and what is wrong with them."""

    path: Path
    signals: int
    programs: int
    notices: tuple[SignalNotice, ...]

    @property
    def by_code(self) -> dict[str, int]:
        """Notices by code, in alphabetical order."""
        return dict(sorted(Counter(notice.code for notice in self.notices).items()))

    @property
    def signals_at_fault(self) -> int:
        """Signals with any notice."""
        return len({notice.signal_id for notice in self.notices})


def check(path: Path) -> SignalCheck:
    """Read a network and check its signals.

    Raises
    ------
    InputError
        What makes a network unreadable: see :func:`networks.netxml.read_network`.
    """
    network = read_network(path)
    notices = sorted(check_network(network, path.name), key=lambda notice: SEVERITIES.index(notice.severity))
    programs = sum(len(signal.programs) for signal in network.signals)
    return SignalCheck(path, len(network.signals), programs, tuple(notices))


def as_json(checked: SignalCheck) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        "network": str(checked.path),
        "signals": checked.signals,
        "signals_at_fault": checked.signals_at_fault,
        "programs": checked.programs,
        "counts": checked.by_code,
        "notices": [asdict(notice) for notice in checked.notices],
    }


def as_lines(checked: SignalCheck) -> Iterator[str]:
    """A table of what is wrong, and the totals."""
    if checked.notices:
        yield from aligned([HEAD, *(_cells(notice) for notice in checked.notices)])
        yield ""
    yield (
        f"{counted(checked.signals, 'signal')} with {counted(checked.programs, 'program')}, "
        f"{checked.signals_at_fault} of them with findings"
    )
    for code, count in checked.by_code.items():
        yield f"{code}: {counted(count, 'finding')}"


def _cells(notice: SignalNotice) -> tuple[str, ...]:
    signal = shown(notice.signal_id)
    return notice.severity, notice.code, signal, notice.field, notice.value, str(notice.count), notice.remedy
