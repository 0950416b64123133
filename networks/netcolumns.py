"""A network file's elements as columns: each is taken apart as expat hands it over, while it is in the cache.

One list a column, filled in the file's order; :mod:`networks.netxml` makes arrays of them.
"""

from array import array
from collections.abc import Callable

from networks.intake import Attributes
from networks.network import ALL_CLASSES, CLASS_BIT, NONE, EdgeKind

DEFAULT_LANE_WIDTH_M = 3.2
_KINDS = {
    "normal": EdgeKind.NORMAL,
    "internal": EdgeKind.INTERNAL,
    "crossing": EdgeKind.CROSSING,
    "walkingarea": EdgeKind.WALKINGAREA,
    "connector": EdgeKind.CONNECTOR,
}

Keeper = Callable[[Attributes], None]


class EdgeColumns:
    """Columns of edges; ``lanes_before`` tells where the lanes of each begin."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.kind = array("i")
        self.begins: list[str] = []
        self.ends: list[str] = []
        self.priority = array("i")
        self.types: list[str] = []
        self.names: list[str] = []
        self.lanes_before = array("i")


class LaneColumns:
    """Columns of lanes."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.length_m = array("d")
        self.speed_mps = array("d")
        self.width_m = array("d")
        self.permissions = array("Q")
        self.shapes: list[str] = []


class ConnectionColumns:
    """Columns of connections; ends and signals by name, as what they name may stand further down."""

    def __init__(self) -> None:
        self.begins: list[str] = []
        self.ends: list[str] = []
        self.from_lane = array("i")
        self.to_lane = array("i")
        self.via: list[str] = []
        self.signals: list[str] = []
        self.link = array("i")
        self.directions: list[str] = []
        self.states: list[str] = []


def _connection_keeper(columns: ConnectionColumns) -> Keeper:
    """A handler of connections; it knows its lists by name, as it is called a hundred thousand times."""
    begin, end = columns.begins.append, columns.ends.append
    from_lane, to_lane, link = columns.from_lane.append, columns.to_lane.append, columns.link.append
    via, signal = columns.via.append, columns.signals.append
    direction, state = columns.directions.append, columns.states.append

    def keep(row: Attributes) -> None:
        get = row.get
        begin(row["from"])
        end(row["to"])
        from_lane(int(row["fromLane"]))
        to_lane(int(row["toLane"]))
        via(get("via", ""))
        signal(get("tl", ""))
        link(int(get("linkIndex", NONE)))
        direction(get("dir", "s"))
        state(get("state", "M"))

    return keep


def _lane_keeper(columns: LaneColumns) -> Keeper:
    """A handler of lanes; each of the few distinct permissions is decoded once."""
    lane_id, length, speed = columns.ids.append, columns.length_m.append, columns.speed_mps.append
    width, shape, permission = columns.width_m.append, columns.shapes.append, columns.permissions.append
    masks: dict[tuple[str | None, str | None], int] = {}

    def keep(row: Attributes) -> None:
        get = row.get
        lane_id(row["id"])
        length(float(row["length"]))
        speed(float(row["speed"]))
        width(float(get("width", DEFAULT_LANE_WIDTH_M)))
        shape(row["shape"])
        access = get("allow"), get("disallow")
        if access not in masks:
            masks[access] = _mask(*access)
        permission(masks[access])

    return keep


def _edge_keeper(columns: EdgeColumns, lane_ids: list[str]) -> Keeper:
    """A handler of edges; it notes how many lanes stood before."""
    edge_id, begin, end = columns.ids.append, columns.begins.append, columns.ends.append
    kind, priority, lanes_before = columns.kind.append, columns.priority.append, columns.lanes_before.append
    road_type, name = columns.types.append, columns.names.append

    def keep(row: Attributes) -> None:
        get = row.get
        edge_id(row["id"])
        kind(_KINDS[get("function", "normal")])
        begin(get("from", ""))
        end(get("to", ""))
        priority(int(get("priority", NONE)))
        road_type(get("type", ""))
        name(get("name", ""))
        lanes_before(len(lane_ids))

    return keep


class NetworkColumns:
    """What a network file holds, in its order, as columns; junctions and programs, which are few, as they stand."""

    def __init__(self) -> None:
        self.root = ""
        self.location: Attributes = {}
        self.edges = EdgeColumns()
        self.lanes = LaneColumns()
        self.connections = ConnectionColumns()
        self.junctions: list[Attributes] = []
        self.requests: list[tuple[str, str]] = []
        self.requests_before_junction: list[int] = []
        self.programs: list[Attributes] = []
        self.phases: list[list[Attributes]] = []
        self._keep = {
            "connection": _connection_keeper(self.connections),
            "lane": _lane_keeper(self.lanes),
            "edge": _edge_keeper(self.edges, self.lanes.ids),
            "request": self._request,
            "junction": self._junction,
            "phase": self._phase,
            "tlLogic": self._program,
            "location": self._location,
        }

    def start(self, tag: str, attributes: Attributes) -> None:
        """Expat's handler: the root first, then what matters."""
        keep = self._keep.get(tag)
        if keep is not None:
            keep(attributes)
        elif not self.root:
            self.root = tag
        elif tag == "include":
            raise ValueError("it asks for another file by <include>, which is not followed")

    def _request(self, row: Attributes) -> None:
        self.requests.append((row["response"], row["foes"]))

    def _junction(self, row: Attributes) -> None:
        self.requests_before_junction.append(len(self.requests))
        self.junctions.append(row)

    def _program(self, row: Attributes) -> None:
        self.programs.append(row)
        self.phases.append([])

    def _phase(self, row: Attributes) -> None:
        self.phases[-1].append(row)

    def _location(self, row: Attributes) -> None:
        self.location = row


def _mask(allow: str | None, disallow: str | None) -> int:
    if allow is not None:
        return _union(allow)
    return int(ALL_CLASSES) & ~_union(disallow) if disallow is not None else int(ALL_CLASSES)


def _union(text: str) -> int:
    if "all" in text.split():
        return int(ALL_CLASSES)
    mask = 0
    for name in text.split():
        mask |= int(CLASS_BIT.get(name, 0))
    return mask
