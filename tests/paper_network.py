"""Networks small enough to draw on paper, for tests whose results are worked out by hand."""

from itertools import pairwise
from pathlib import Path

from networks.network import RoadNetwork
from networks.netxml import read_network

SPEED_MPS = 10


def write_paper_network(
    path: Path, streets: dict[str, tuple[str, str, float]], ways: list[str], closed: tuple[str, ...] = ()
) -> RoadNetwork:
    """Write a one-lane network and read it.

    ``streets``: id to (from, to, length in m), all at 10 m/s; ``ways``: ids in driving order, ``"a b c"`` makes the
    turns a-b and b-c; ``closed``: streets for pedestrians only.
    """
    nodes = sorted({end for begin, end, _ in streets.values()} | {begin for begin, _, _ in streets.values()})
    lines = ['<net version="1.20">', '<location netOffset="0,0" convBoundary="0,0,1,1" projParameter="!"/>']
    for name, (begin, end, length_m) in streets.items():
        access = ' allow="pedestrian"' if name in closed else ""
        x_1, x_2 = 1000 * nodes.index(begin), 1000 * nodes.index(end)
        lines.append(
            f'<edge id="{name}" from="{begin}" to="{end}" priority="1" type="highway.primary">'
            f'<lane id="{name}_0" index="0" speed="{SPEED_MPS}" length="{length_m}"{access}'
            f' shape="{x_1},0 {x_2},{length_m}"/></edge>'
        )
    lines += [
        f'<junction id="{name}" type="priority" x="{1000 * number}" y="0" incLanes="" intLanes="" shape="0,0"/>'
        for number, name in enumerate(nodes)
    ]
    turns = dict.fromkeys(turn for way in ways for turn in pairwise(way.split()))
    lines += [
        f'<connection from="{begin}" to="{end}" fromLane="0" toLane="0" dir="s" state="M"/>' for begin, end in turns
    ]
    path.write_text("\n".join([*lines, "</net>"]))
    return read_network(path)
