"""The streets of an OpenStreetMap file, as small clean XML: paths, buildings and edit history stay behind."""

import shutil
from contextlib import closing
from pathlib import Path

import osmium
from osmium.filter import KeyFilter
from osmium.osm import NODE, RELATION, WAY, Node, Relation, TagList, Way

from networks.faults import InputError
from networks.intake import CHUNK_BYTES, check_xml_prolog, open_bytes

BoundingBox = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

STREETS = frozenset(
    "motorway motorway_link trunk trunk_link primary primary_link secondary secondary_link tertiary tertiary_link "
    "unclassified residential living_street busway bus_guideway".split()
)
"""Values of OSM's ``highway`` where motor vehicles drive; paths, tracks and building sites are left out."""

BUS_MAY = frozenset({"yes", "designated"})


def write_streets(source: Path, streets: Path, bbox: BoundingBox | None) -> None:
    """Write the streets of ``source`` with all their nodes, and the turn restrictions between them.

    A street that has a node in ``bbox`` is kept in full.

    Raises
    ------
    InputError
        ZIP_*, XML_DTD_REFUSED; NET_BUILD where the file is no OSM data or has no street (in the box).
    """
    readable = _unpacked(source, streets.parent)
    try:
        ways, nodes = _wanted(readable, bbox)
        if not ways:
            where = "" if bbox is None else f" in the box {','.join(f'{degrees:g}' for degrees in bbox)}"
            raise _refused(source, f"there is no street{where}", "Check that the file holds streets, and where")
        _copy_streets(readable, streets, ways, nodes)
    except RuntimeError as fault:
        raise _refused(source, f"not readable as OSM data ({fault})", "Get the file anew") from fault


def _unpacked(source: Path, folder: Path) -> Path:
    """A file that pyosmium may read: XML is unpacked and counted, and refused with a DTD."""
    if source.suffix == ".pbf":
        return source
    if not source.name.endswith((".osm", ".osm.gz")):
        raise _refused(source, "its name ends neither in .osm, .osm.gz nor .osm.pbf", "Name it for what it is")
    check_xml_prolog(source, code="NET_BUILD")
    plain = folder / "source.osm"
    with open_bytes(source) as packed, plain.open("wb") as out:
        shutil.copyfileobj(packed, out, CHUNK_BYTES)
    return plain


def _wanted(readable: Path, bbox: BoundingBox | None) -> tuple[set[int], set[int]]:
    """Ids of the streets to keep, and of every node on them."""
    inside = None if bbox is None else _nodes_inside(readable, bbox)
    ways: set[int] = set()
    nodes: set[int] = set()
    for way in osmium.FileProcessor(readable, WAY).with_filter(KeyFilter("highway")):
        if not isinstance(way, Way) or not _is_street(way.tags):
            continue
        refs = [node.ref for node in way.nodes]
        if inside is None or not inside.isdisjoint(refs):
            ways.add(way.id)
            nodes.update(refs)
    return ways, nodes


def _nodes_inside(readable: Path, bbox: BoundingBox) -> set[int]:
    west, south, east, north = bbox
    return {
        node.id
        for node in osmium.FileProcessor(readable, NODE)
        if isinstance(node, Node) and node.location.valid() and west <= node.lon <= east and south <= node.lat <= north
    }


def _is_street(tags: TagList) -> bool:
    """Whether motor traffic of the city uses a way; of service roads the main ones and those of buses.

    Terminals and hospitals are reached over service roads that have no kind, or are open to buses; driveways, parking
    aisles and alleys would only cut streets into pieces.
    """
    if tags.get("area") == "yes":
        return False
    if tags["highway"] != "service":
        return tags["highway"] in STREETS
    return "service" not in tags or not BUS_MAY.isdisjoint((tags.get("bus"), tags.get("psv")))


def _copy_streets(readable: Path, streets: Path, ways: set[int], nodes: set[int]) -> None:
    """Write nodes before ways before relations, whatever their order was: netconvert reads them so."""
    with closing(osmium.SimpleWriter(streets)) as writer:
        for kind in (NODE, WAY, RELATION):
            for item in osmium.FileProcessor(readable, kind):
                if _is_wanted(item, ways, nodes):
                    writer.add(_without_lane_marks(item) if isinstance(item, Way) else item)


def _without_lane_marks(way: Way) -> object:
    """A way without its solid lines (``change:lanes``).

    They are painted before junctions, where a lane has been chosen long before; on the short edges between a network's
    junctions a vehicle that has not yet come to its lane would stand for ever.
    """
    kept = {tag.k: tag.v for tag in way.tags if not tag.k.startswith("change")}
    return way if len(kept) == len(way.tags) else way.replace(tags=kept)


def _is_wanted(item: object, ways: set[int], nodes: set[int]) -> bool:
    match item:
        case Node():
            return item.id in nodes
        case Way():
            return item.id in ways
        case Relation():
            return _is_restriction(item, ways)
    return False


def _is_restriction(relation: Relation, ways: set[int]) -> bool:
    kind = relation.tags.get("type", "") or ""
    return kind.startswith("restriction") and all(item.ref in ways for item in relation.members if item.type == "w")


def _refused(source: Path, what: str, remedy: str) -> InputError:
    return InputError("NET_BUILD", what, file=source, remedy=remedy)
