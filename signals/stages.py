"""More stages than the shipped program shows: every largest set of movements that may run together.

A program shows its stages in turn, and its designer chose few. A controller that is free to choose serves more with
more of them, such as both movements of one approach alone. What may run together is told by the network and the
designer: links that are no foes, and foes that the shipped program shows green at once, one yielding.
"""

from dataclasses import replace
from itertools import islice

import networkx as nx
import numpy as np
import numpy.typing as npt

from signals.intergreen import minimum_green_s
from signals.plan import DEFAULT_MAX_GREEN_S, SignalPlan, Stage, without_dominated, without_protected_foes

MOST_STAGES = 64
"""A signal with more sets of movements keeps its shipped stages: such a junction is not understood by pairs."""

BoolMatrix = npt.NDArray[np.bool_]


def with_free_stages(plan: SignalPlan) -> SignalPlan:
    """The plan with its own stages and, after them, those that its movements allow besides.

    A link that no shipped stage serves stays red.
    """
    if not plan.is_controllable:
        return plan
    served = sorted(frozenset[int]().union(*(stage.greens for stage in plan.stages)))
    leading = [link for link in served if not any(_rides_with(plan, link, other) for other in served)]
    together = (~plan.foes, ~plan.foes | _shown_together(plan))
    sets = [_with_riders(found, served, may) for may in together for found in _largest(leading, may)]
    if len(sets) > MOST_STAGES:
        return plan
    return replace(plan, stages=without_dominated([*plan.stages, *(_stage(plan, green) for green in sets)]))


def _rides_with(plan: SignalPlan, link: int, other: int) -> bool:
    """Whether a link shares a lane with another and meets nobody whom that does not meet: a right turn, a U-turn.

    It is green whenever it can be and calls for no stage of its own.
    """
    if link == other or not set(plan.links[link].from_lanes) & set(plan.links[other].from_lanes):
        return False
    own, others = plan.foes[link], plan.foes[other]
    return bool((own <= others).all() and ((own != others).any() or other < link))


def _largest(links: list[int], may: BoolMatrix) -> list[list[int]]:
    """Each largest set of links that may run together, in order; not all where there are very many."""
    graph = nx.Graph()
    graph.add_nodes_from(links)
    graph.add_edges_from((a, b) for a in links for b in links if a < b and may[a, b])
    return sorted(sorted(found) for found in islice(nx.find_cliques(graph), MOST_STAGES + 1))


def _with_riders(green: list[int], served: list[int], may: BoolMatrix) -> list[int]:
    """The set with every other link that may run with all of it."""
    whole = list(green)
    for link in served:
        if link not in whole and may[link, whole].all():
            whole.append(link)
    return sorted(whole)


def _stage(plan: SignalPlan, green: list[int]) -> Stage:
    """A stage in which these links are green; those that must yield to others of them are permitted."""
    letters = "".join("G" if link in green else "r" for link in range(len(plan.links)))
    state = without_protected_foes(letters, plan.foes, plan.responses)
    return Stage(state, _least_green_s(plan, green), DEFAULT_MAX_GREEN_S, 0.0)


def _least_green_s(plan: SignalPlan, green: list[int]) -> float:
    """By formula, but no longer than the plan's own stages keep green for each of the links."""
    kept_s = [min(stage.min_green_s for stage in plan.stages if link in stage.greens) for link in green]
    return min(minimum_green_s(tuple(plan.links[link] for link in green)), max(kept_s))


def _shown_together(plan: SignalPlan) -> BoolMatrix:
    """Which links the shipped program has green at once, shape (links, links)."""
    shown = np.zeros_like(plan.foes)
    for stage in plan.stages:
        green = np.array([link in stage.greens for link in range(len(plan.links))])
        shown |= green[:, None] & green[None, :]
    return shown
