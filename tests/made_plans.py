"""Signal plans for tests: drawn at random, or from real networks."""

import numpy as np
from hypothesis import strategies as st

from networks.network import RoadNetwork
from signals.intergreen import GREEN_LETTERS, Clearance, LinkClearance
from signals.movement import Link
from signals.plan import SignalPlan, Stage, build_plan, without_protected_foes

CAR = Link((0,), (1,), 13.9, 20.0, 0.0)
PEOPLE = Link((2,), (3,), 0.0, 0.0, 12.0)


@st.composite
def plans(draw: st.DrawFn) -> SignalPlan:
    """A plan of two to six links with any foes, any stages free of protected foes, any times."""
    count = draw(st.integers(2, 6))
    links = tuple(draw(st.sampled_from([CAR, CAR, CAR, PEOPLE])) for _ in range(count))
    foes = np.zeros((count, count), dtype=bool)
    responses = np.zeros((count, count), dtype=bool)
    for a in range(count):
        for b in range(a):
            foes[a, b] = foes[b, a] = draw(st.booleans())
            responses[a, b] = foes[a, b] and draw(st.booleans())
            responses[b, a] = foes[a, b] and draw(st.booleans())
    seconds = st.floats(0, 6).map(lambda value: round(value, 3))
    clearances = tuple(
        LinkClearance(0.0, 2 * draw(seconds)) if link is PEOPLE else LinkClearance(3 + draw(seconds) / 2, draw(seconds))
        for link in links
    )
    least_s = [1 + draw(seconds) for _ in links]
    letters = st.text("GgrsG", min_size=count, max_size=count).filter(lambda text: GREEN_LETTERS & set(text))
    states = [without_protected_foes(draw(letters), foes, responses) for _ in range(draw(st.integers(2, 5)))]
    stages = tuple(
        Stage(state, max(least_s[bit] for bit in range(count) if state[bit] in GREEN_LETTERS), 50.0, 20.0)
        for state in states
    )
    return SignalPlan("made up", links, stages, clearances, foes, responses, 0)


def real_plans(network: RoadNetwork, clearance: Clearance) -> list[SignalPlan]:
    """The plans of all signals of a network at which there is a choice."""
    built = [build_plan(network, signal.signal_id, clearance) for signal in network.signals]
    return [plan for plan in built if plan.is_controllable]
