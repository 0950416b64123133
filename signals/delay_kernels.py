"""Kernels of delay-based control: whose delay is whose, from one look at the vehicles to the next."""

import numpy as np
import numpy.typing as npt
from numba import njit

SLACK_M = 2.0
"""A vehicle found this much farther away, or nearer than it could drive, is still taken for the same."""


@njit(cache=True, nogil=True)
def carried_delays(
    link: npt.NDArray[np.int64],
    distance_m: npt.NDArray[np.float64],
    before_link: npt.NDArray[np.int64],
    before_m: npt.NDArray[np.float64],
    before_delay_s: npt.NDArray[np.float64],
    free_mps: npt.NDArray[np.float64],
    elapsed_s: float,
) -> npt.NDArray[np.float64]:
    """Delay of each vehicle on its approach so far: what it had, and what it has lost since.

    Vehicles have no names here. On a link they keep their order: the first ones have passed the stop line, the others
    have come nearer, and new ones came behind. How many have passed is the number with which the fewest of the others
    would have driven backwards or faster than they can; of several the least.

    Parameters
    ----------
    link, distance_m
        Link of each vehicle now and its way to the stop line, shape (vehicles,), the nearest first.
    before_link, before_m, before_delay_s
        The same at the look before, with delays (s), shape (vehicles before,).
    free_mps
        Speed that may be driven before each link, shape (links,).
    elapsed_s
        Time between the two looks (s).

    Returns
    -------
    Delays (s), shape (vehicles,); 0 for those that have just come.
    """
    delay_s = np.zeros(len(link))
    for row in range(len(free_mps)):
        now = np.flatnonzero(link == row)
        old = np.flatnonzero(before_link == row)
        if len(now) == 0 or len(old) == 0:
            continue
        reach_m = free_mps[row] * elapsed_s + SLACK_M
        passed = _passed(distance_m[now], before_m[old], reach_m)
        for rank in range(min(len(now), len(old) - passed)):
            mine, its = now[rank], old[rank + passed]
            driven_m = max(before_m[its] - distance_m[mine], 0.0)
            lost_s = elapsed_s - driven_m / free_mps[row] if free_mps[row] > 0 else elapsed_s
            delay_s[mine] = before_delay_s[its] + max(lost_s, 0.0)
    return delay_s


@njit(cache=True, nogil=True)
def _passed(now_m: npt.NDArray[np.float64], before_m: npt.NDArray[np.float64], reach_m: float) -> int:
    """How many of the vehicles before are gone."""
    best, least = len(before_m), len(before_m) + 1
    for passed in range(len(before_m) + 1):
        wrong = max(len(before_m) - passed - len(now_m), 0)
        for rank in range(min(len(now_m), len(before_m) - passed)):
            driven_m = before_m[rank + passed] - now_m[rank]
            wrong += not -SLACK_M <= driven_m <= reach_m
        for rank in range(passed):
            wrong += before_m[rank] > reach_m
        if wrong < least:
            best, least = passed, wrong
    return best
