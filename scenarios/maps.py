"""The map of a report: the streets, the junctions compared, and how the delay changed at each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from networks.network import RoadNetwork
from scenarios.compare import HIGHER, LOWER
from scenarios.content import Place, ReportContent
from scenarios.drawing import FAINT, INK, MUTED, WIDTH_IN, Drawing, canvas, label
from scenarios.spread import spread_circles
from scenarios.wording import quoted

FloatArray = npt.NDArray[np.float64]
_Colour = tuple[float, float, float, float]
_Ring = tuple[str, float, str]

MAIN_STREETS = frozenset(("motorway", "trunk", "primary", "secondary", "tertiary"))
"""OpenStreetMap's classes of streets that are drawn strong."""

MAIN_STREET_MPS = 13.0
"""In networks without those classes, streets faster than this are drawn strong: 50 km/h and above."""

_OSM = "highway."

MAX_NUMBERED = 60
"""Junctions that bear their number on the map; more would hide each other."""

_MARGIN = 0.14
_SMALLEST_BOX_M = 400.0
_DIAMETER_PT, _LARGEST_DIAMETER_PT = 17.0, 32.0
_DOT_PT = 5.0
_GAP_PT = 1.5
_MAIN_STREET_M = 8.0
_POINTS_PER_INCH = 72.0
_METRES_PER_KM = 1000
_LESS_TO_MORE = LinearSegmentedColormap.from_list("delay", ("#0060a8", "#7fb3d9", "#f4f4f2", "#f0a868", "#c04a00"))
_WHITE = (1.0, 1.0, 1.0, 1.0)
_DARK = 0.5
_SURE: _Ring = (INK, 1.4, "solid")
_UNSURE: _Ring = (MUTED, 1.2, "dotted")
_STREET, _MAIN_STREET = "#dfe4e8", "#b4bec6"


@dataclass(frozen=True, slots=True, eq=False)
class _Markers:
    """Junctions on the map: where they lie, shape (places, 2), and the diameter of each circle."""

    places: tuple[Place, ...]
    at_m: FloatArray
    diameter_pt: FloatArray


@dataclass(frozen=True, slots=True)
class _Box:
    """What part of the network is shown (m), and how large (metres a printer's point)."""

    west_m: float
    south_m: float
    east_m: float
    north_m: float
    metres_per_point: float


def draw_map(path: Path, content: ReportContent) -> Drawing:
    """Draw the streets around the junctions compared, a panel for each variant that is compared with the first.

    A circle's colour is the change in mean delay there, its size the number of accidents where that is known.
    """
    markers = _markers(content)
    has_changes = bool(content.challengers and markers.places)
    panels = content.challengers if has_changes else (content.baseline,)
    columns = min(len(panels), 2)
    rows = math.ceil(len(panels) / columns)
    aspect = 1.6 if columns == 1 else 1.0
    panel_in = (WIDTH_IN - 0.3) / columns
    box = _box(content.network, markers.at_m, aspect, panel_in)
    title = "Where: the junctions compared and the change in delay" if has_changes else "Where"
    height_in = 0.5 + rows * (panel_in / aspect + 0.2) + 1.1 * has_changes
    with canvas(path, height_in, title, _note(content)) as figure:
        grid: list[Axes] = list(figure.subplots(rows, columns, squeeze=False).flat)
        norm = _norm(content, markers.places)
        for axes, name in zip(grid, panels, strict=False):
            _draw_streets(axes, content.network, box)
            _draw_markers(axes, content, name, markers, box, norm)
            axes.set_title(label(name, 48) if has_changes else "")
        for axes in grid[len(panels) :]:
            axes.set_visible(False)
        _draw_scale(grid[0], box, has_north=content.network.location.is_geographic)
        if has_changes:
            _draw_legend(figure, grid, norm)
    return Drawing(path, title, _caption(content))


def _caption(content: ReportContent) -> str:
    if not content.places:
        return "The streets that cars may use; no junction was measured."
    parts = ["The numbers are those of the tables."]
    if content.challengers:
        parts.append(
            f"Blue: less delay than with {quoted(content.baseline)}, orange: more. A dark ring: more than chance "
            "explains; a dotted one: these runs cannot tell."
        )
    if any(place.site for place in content.places):
        parts.append("The larger a circle, the more accidents were recorded there.")
    if len(content.places) > MAX_NUMBERED:
        parts.append(f"The first {MAX_NUMBERED} junctions bear their number, the others are dots.")
    return " ".join(parts)


def _note(content: ReportContent) -> str:
    is_osm = any(kind.startswith(_OSM) for kind in content.network.edges.type_ids)
    parts = (content.margin_note, "streets: © OpenStreetMap contributors" if is_osm else "")
    return " · ".join(part for part in parts if part)


def _markers(content: ReportContent) -> _Markers:
    found = [(place, at_m) for place in content.places if (at_m := _position_m(content.network, place.junction))]
    crashes = np.array([place.site.crashes if place.site else 0 for place, _ in found], dtype=np.float64)
    growth = (_LARGEST_DIAMETER_PT - _DIAMETER_PT) / max(crashes.max(initial=0.0), 1.0)
    is_numbered = np.array([place.number <= MAX_NUMBERED for place, _ in found], dtype=np.bool_)
    diameters = np.where(is_numbered, _DIAMETER_PT + growth * crashes, _DOT_PT)
    positions = np.array([at_m for _, at_m in found], dtype=np.float64).reshape(-1, 2)
    return _Markers(tuple(place for place, _ in found), positions, diameters)


def _position_m(network: RoadNetwork, junction: str) -> tuple[float, float] | None:
    """Middle of what a signal controls, or of a junction; None where the network knows neither."""
    if junction in network.signal_index:
        rows = list(network.junctions_of_signal(network.signal_index[junction]))
    else:
        rows = [network.junction_index[junction]] if junction in network.junction_index else []
    if not rows:
        return None
    return float(network.junctions.x_m[rows].mean()), float(network.junctions.y_m[rows].mean())


def _box(network: RoadNetwork, at_m: FloatArray, aspect: float, width_in: float) -> _Box:
    """Box around the junctions, or around all streets where there are none, of a given width to height."""
    shown_m = at_m if len(at_m) else _street_ends_m(network)
    (west, south), (east, north) = shown_m.min(axis=0), shown_m.max(axis=0)
    height = max((north - south) * (1 + 2 * _MARGIN), (east - west) * (1 + 2 * _MARGIN) / aspect, _SMALLEST_BOX_M)
    x_m, y_m = (west + east) / 2, (south + north) / 2
    half_width, half_height = height * aspect / 2, height / 2
    scale = 2 * half_width / (width_in * _POINTS_PER_INCH)
    return _Box(x_m - half_width, y_m - half_height, x_m + half_width, y_m + half_height, scale)


def _street_ends_m(network: RoadNetwork) -> FloatArray:
    """Where streets for cars begin and end, shape (ends, 2)."""
    streets = network.edges_for("passenger")
    rows = np.concatenate((network.edges.from_junction[streets], network.edges.to_junction[streets]))
    if not len(rows):
        return np.array(network.location.bounds_m).reshape(2, 2)
    return np.column_stack((network.junctions.x_m[rows], network.junctions.y_m[rows]))


def _norm(content: ReportContent, places: Sequence[Place]) -> Normalize:
    """Colour scale around zero, as wide as all but the largest tenth of the changes: a jam must not pale the rest."""
    found = [content.difference(name, "delay_s", place.junction) for name in content.challengers for place in places]
    changes = [abs(row.difference_mean) for row in found if row is not None and math.isfinite(row.difference_mean)]
    width_s = max(1.0, float(np.quantile(changes, 0.9)) if changes else 0.0)
    return Normalize(-width_s, width_s)


def _draw_streets(axes: Axes, network: RoadNetwork, box: _Box) -> None:
    streets = np.flatnonzero(network.edges_for("passenger") & _inside(network, box))
    is_main = np.array([_is_main(network, edge) for edge in streets.tolist()], dtype=np.bool_)
    main_pt = min(max(_MAIN_STREET_M / box.metres_per_point, 0.8), 2.4)
    for wanted, colour, width_pt in ((~is_main, _STREET, main_pt / 2), (is_main, _MAIN_STREET, main_pt)):
        shapes = [_whole_shape_m(network, int(edge)) for edge in streets[wanted]]
        axes.add_collection(LineCollection(shapes, colors=colour, linewidths=width_pt, capstyle="round", zorder=1))
    axes.set(xlim=(box.west_m, box.east_m), ylim=(box.south_m, box.north_m), xticks=[], yticks=[])
    axes.set_aspect("equal")
    axes.spines[:].set(visible=True, color=FAINT)


def _is_main(network: RoadNetwork, edge: int) -> bool:
    kind = network.edges.type_ids[edge]
    if kind.startswith(_OSM):
        return kind.removeprefix(_OSM).removesuffix("_link") in MAIN_STREETS
    return bool(network.edge_speed_mps[edge] > MAIN_STREET_MPS)


def _whole_shape_m(network: RoadNetwork, edge: int) -> FloatArray:
    """Centre line of an edge, drawn on to the middles of its junctions so that streets do not break there."""
    ends = [network.edges.from_junction[edge], network.edges.to_junction[edge]]
    start, end = np.column_stack((network.junctions.x_m[ends], network.junctions.y_m[ends]))
    return np.vstack((start, network.edge_shape_m(edge), end))


def _inside(network: RoadNetwork, box: _Box) -> npt.NDArray[np.bool_]:
    """Mask of the edges that may reach into the box: their first lane's bounds do, shape (edges,)."""
    starts = network.lanes.shape_start[network.edges.lane_start[:-1]]
    ends = network.lanes.shape_start[network.edges.lane_start[:-1] + 1]
    slices = np.column_stack((starts, ends)).ravel()
    points = np.vstack((network.lanes.shape_m, np.zeros((1, 2))))
    low, high = np.minimum.reduceat(points, slices)[::2], np.maximum.reduceat(points, slices)[::2]
    inside: npt.NDArray[np.bool_] = (
        (high[:, 0] >= box.west_m)
        & (low[:, 0] <= box.east_m)
        & (high[:, 1] >= box.south_m)
        & (low[:, 1] <= box.north_m)
    )
    return inside


def _draw_markers(
    axes: Axes, content: ReportContent, variant: str, markers: _Markers, box: _Box, norm: Normalize
) -> None:
    """Draw numbered circles, moved apart where they would hide each other and then tied to their junction.

    Junctions without a number stay where they are, as dots.
    """
    looks = [_look(content, variant, place, norm) for place in markers.places]
    numbered = [row for row, place in enumerate(markers.places) if place.number <= MAX_NUMBERED]
    for row in range(len(markers.places)):
        if row not in numbered:
            _circle(axes, markers.at_m[row], _DOT_PT, *looks[row])
    radii_m = (markers.diameter_pt[numbered] / 2 + _GAP_PT) * box.metres_per_point
    bounds_m = np.array([[box.west_m, box.south_m], [box.east_m, box.north_m]])
    drawn_m = spread_circles(markers.at_m[numbered], radii_m, bounds_m)
    for row, to_m in zip(numbered, drawn_m, strict=True):
        axes.plot(*zip(markers.at_m[row], to_m, strict=True), color=INK, linewidth=0.8, zorder=3)
        axes.plot(*markers.at_m[row], marker="o", markersize=3, color=INK, zorder=3)
        fill, ring = looks[row]
        _circle(axes, to_m, markers.diameter_pt[row], fill, ring)
        ink = "white" if np.mean(fill[:3]) < _DARK else INK
        words = str(markers.places[row].number)
        axes.annotate(words, to_m, ha="center", va="center_baseline", fontsize=8, color=ink, zorder=5)


def _look(content: ReportContent, variant: str, place: Place, norm: Normalize) -> tuple[_Colour, _Ring]:
    """Fill and ring of a junction: how its delay changed, and whether that is more than chance."""
    found = content.difference(variant, "delay_s", place.junction)
    change_s = found.difference_mean if found else math.nan
    is_sure = not content.challengers or (found is not None and found.verdict in {LOWER, HIGHER})
    return _LESS_TO_MORE(norm(change_s)) if math.isfinite(change_s) else _WHITE, _SURE if is_sure else _UNSURE


def _circle(axes: Axes, at_m: FloatArray, diameter_pt: float, fill: _Colour, ring: _Ring) -> PathCollection:
    colour, width_pt, dashes = ring
    x_m, y_m = at_m.reshape(-1, 2).T
    circle = axes.scatter(x_m, y_m, s=diameter_pt**2, facecolor=fill, edgecolor=colour, zorder=4)
    circle.set(linewidth=min(width_pt, diameter_pt / 8), linestyle=dashes)
    return circle


def _draw_legend(figure: Figure, grid: list[Axes], norm: Normalize) -> None:
    """Explain colours and rings, where there are changes to show."""
    scale = figure.colorbar(
        ScalarMappable(norm, _LESS_TO_MORE), ax=grid, location="bottom", shrink=0.6, aspect=40, pad=0.03, extend="both"
    )
    scale.set_label(
        "less delay   \N{LEFTWARDS ARROW}   change in mean delay per vehicle (s)   \N{RIGHTWARDS ARROW}   more"
    )
    keys = [_circle(grid[0], np.empty(0), 11, _WHITE, ring) for ring in (_SURE, _UNSURE)]
    words = ["more than chance explains", "these runs cannot tell"]
    figure.legend(keys, words, loc="outside lower center", ncols=2)


def _draw_scale(axes: Axes, box: _Box, *, has_north: bool) -> None:
    """Draw a bar of a round length, and where north is if the network knows."""
    width_m = box.east_m - box.west_m
    exponent = math.floor(math.log10(width_m / 4))
    length_m = max(step * 10**exponent for step in (1, 2, 5) if step * 10**exponent <= width_m / 4)
    x_m, y_m = box.west_m + 0.04 * width_m, box.south_m + 0.04 * (box.north_m - box.south_m)
    axes.plot((x_m, x_m + length_m), (y_m, y_m), color=INK, linewidth=2.5, solid_capstyle="butt", zorder=5)
    words = f"{length_m} m" if length_m < _METRES_PER_KM else f"{length_m // _METRES_PER_KM} km"
    axes.annotate(
        words, (x_m + length_m / 2, y_m), xytext=(0, 4), textcoords="offset points", ha="center", fontsize=8, zorder=5
    )
    if has_north:
        axes.annotate(
            "N",
            xy=(0.965, 0.97),
            xytext=(0.965, 0.87),
            xycoords="axes fraction",
            ha="center",
            fontsize=9,
            arrowprops={"arrowstyle": "-|>", "color": INK},
        )
