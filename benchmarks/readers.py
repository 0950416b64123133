"""Readers of networks that ours is measured beside."""

from pathlib import Path
from xml.parsers import expat

import sumolib


def whole_with_sumolib(path: str) -> None:
    """Read all that ours reads: inside junctions, ways of pedestrians and signal programs too."""
    sumolib.net.readNet(path, withInternal=True, withPedestrianConnections=True, withPrograms=True)


def count_elements(path: str) -> dict[str, int]:
    """Let expat go through a file and count elements."""
    count = 0

    def start(_tag: str, _attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    with Path(path).open("rb") as stream:
        parser.ParseFile(stream)
    return {"elements": count}
