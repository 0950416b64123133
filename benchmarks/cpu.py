"""CPU time of a process and of what it started, user and system time together."""

import resource
import time


def children_cpu_s() -> float:
    """CPU time (s) of all programs that this process started and waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def used_cpu_s() -> float:
    """CPU time (s) so far, of this process and of those it waited for."""
    return time.process_time() + children_cpu_s()
