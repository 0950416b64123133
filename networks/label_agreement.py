"""How far records matched to junctions are those that the police put at one: agreement with the label of a file."""

from dataclasses import dataclass

import numpy as np

from networks.crash_sites import CrashMatches
from networks.crashes import Crashes
from networks.network import NONE


@dataclass(frozen=True, slots=True)
class LabelAgreement:
    """Labelled records, counted by what the police said and by what matching did; shares of nothing are NaN.

    ``junction_matched`` are those put at a junction and matched to one, ``between_unmatched`` those put between two and
    left mid-block, and so on.
    """

    junction_matched: int
    junction_unmatched: int
    between_matched: int
    between_unmatched: int

    @property
    def records(self) -> int:
        """Records that have a label."""
        return self.junction_matched + self.junction_unmatched + self.between_matched + self.between_unmatched

    @property
    def agreeing_share(self) -> float:
        """Share of labelled records of which both say the same."""
        return _share(self.junction_matched + self.between_unmatched, self.records)

    @property
    def labelled_share_of_matched(self) -> float:
        """Share of those matched to a junction that the police put at one."""
        return _share(self.junction_matched, self.junction_matched + self.between_matched)

    @property
    def matched_share_of_labelled(self) -> float:
        """Share of those that the police put at a junction that were matched to one."""
        return _share(self.junction_matched, self.junction_matched + self.junction_unmatched)


def label_agreement(crashes: Crashes, matches: CrashMatches) -> LabelAgreement | None:
    """Count labels against matches; None where no record has a label."""
    at, between, matched = crashes.at_junction == 1, crashes.at_junction == 0, matches.site != NONE
    if not (at | between).any():
        return None
    wanted = (at & matched, at & ~matched, between & matched, between & ~matched)
    return LabelAgreement(*(int(np.count_nonzero(which)) for which in wanted))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
