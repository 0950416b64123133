"""The map of hotspots: streets, each crash as a faint dot, ranked sites as numbered circles, and their list."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from networks.crashes import Crashes
from networks.network import FloatArray, RoadNetwork
from networks.screening import EMPIRICAL_BAYES, FREQUENCY, Hotspot
from scenarios.drawing import FAINT, INK, MUTED, WIDTH_IN, canvas, label
from scenarios.spread import spread_circles

MAX_LISTED = 30
"""Sites named beside the map; more would not be read."""

CAVEAT = (
    "A plain count overstates (regression to the mean): where many crashes happened by bad luck, fewer happen later "
    "with nothing done."
)
EXPECTATION = "By Empirical Bayes: from a junction's own count and junctions like it, so that bad luck is not danger."
_LIST_SHARE = 0.36
POINTS_PER_INCH = 72
_KM_M = 1000.0
_MARGIN = 0.06
_CITY_METRES_PER_POINT = 25.0
_SMALLEST_SIDE_M = 600.0
_SMALLEST_PT, _LARGEST_PT = 12.0, 30.0
_CRASH_PT = 1.3
_CRASH, _SPOT = "#e69f00", "#a32b12"
_SIDE_STREET = (0.35, "#ccd4da")
_MAIN_STREETS = {
    **dict.fromkeys(("tertiary", "tertiary_link"), (0.7, "#b7c1c9")),
    **dict.fromkeys(("secondary", "secondary_link", "primary", "primary_link"), (1.2, "#a3afb9")),
    **dict.fromkeys(("trunk", "trunk_link", "motorway", "motorway_link"), (1.6, "#98a5b0")),
}
"""How wide (points) and in which grey a street of an OpenStreetMap class is drawn; all others are side streets."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """The part of the plane (m) that is drawn, and how many metres a printer's point is long there."""

    west_m: float
    south_m: float
    east_m: float
    north_m: float
    metres_per_point: float

    @property
    def zoom(self) -> float:
        """How much heavier lines and dots are drawn than on the map of a whole city."""
        return float(np.clip((_CITY_METRES_PER_POINT / self.metres_per_point) ** 0.4, 1.0, 3.0))


def draw_hotspots(
    path: Path, network: RoadNetwork, crashes: Crashes, hotspots: tuple[Hotspot, ...], method: str = FREQUENCY
) -> None:
    """Draw the ranked sites on the street map as a PNG file; ``method`` is what they were ranked by."""
    map_width_in = WIDTH_IN * (1 - _LIST_SHARE)
    at_m = np.array([(spot.x_m, spot.y_m) for spot in hotspots])
    frame = _frame(at_m, map_width_in)
    map_height_in = map_width_in * (frame.north_m - frame.south_m) / (frame.east_m - frame.west_m)
    with canvas(path, map_height_in + 0.95, _title(hotspots, method), _note(network, crashes)) as figure:
        axes, names = figure.subplots(1, 2, width_ratios=(1 - _LIST_SHARE, _LIST_SHARE))
        axes.set(xlim=(frame.west_m, frame.east_m), ylim=(frame.south_m, frame.north_m), xticks=[], yticks=[])
        axes.set_aspect("equal")
        axes.spines[:].set(visible=True, color=FAINT)
        _draw_streets(axes, network, frame)
        _draw_crashes(axes, crashes, frame)
        _draw_spots(axes, hotspots, at_m, frame)
        _draw_scale(axes, frame)
        _list_spots(names, hotspots)
        figure.supxlabel(
            EXPECTATION if method == EMPIRICAL_BAYES else CAVEAT, x=0.01, ha="left", fontsize=8, color=MUTED
        )


_BY = {
    FREQUENCY: "with the most",
    "rate": "with the highest rate",
    "critical-rate": "farthest above their critical rate",
    "epdo": "with the greatest weight of harm",
    EMPIRICAL_BAYES: "where most are to be expected",
    "rule": "that meet the national rule",
}


def _title(hotspots: tuple[Hotspot, ...], method: str) -> str:
    return f"Where crashes concentrate: the {len(hotspots)} junctions {_BY[method]}"


def _note(network: RoadNetwork, crashes: Crashes) -> str:
    files = ", ".join(Path(file).name for file in crashes.files)
    made_up = "SYNTHETIC accident records" if crashes.synthetic.any() else "crash records"
    is_osm = any(kind.startswith("highway.") for kind in network.edges.type_ids)
    streets = " · streets: © OpenStreetMap contributors" if is_osm else ""
    return f"{len(crashes):,} {made_up}: {label(files, 80)}{streets}"


def _frame(at_m: FloatArray, map_width_in: float) -> _Frame:
    """A frame around the sites, no slimmer than two to three."""
    middle, side = (at_m.min(axis=0) + at_m.max(axis=0)) / 2, np.ptp(at_m, axis=0) * (1 + 2 * _MARGIN)
    half = np.maximum(np.maximum(side, side[::-1] * 2 / 3), _SMALLEST_SIDE_M) / 2
    (west, south), (east, north) = (middle - half).tolist(), (middle + half).tolist()
    return _Frame(west, south, east, north, (east - west) / (map_width_in * POINTS_PER_INCH))


def _draw_streets(axes: Axes, network: RoadNetwork, frame: _Frame) -> None:
    streets = np.flatnonzero(network.edges_for("passenger"))
    kinds = [network.edges.type_ids[street].removeprefix("highway.") for street in streets]
    looks = [_MAIN_STREETS.get(kind, _SIDE_STREET) for kind in kinds]
    shapes = [_whole_shape_m(network, street) for street in streets.tolist()]
    for width_pt, colour in sorted(set(looks)):
        lines = [shape for shape, look in zip(shapes, looks, strict=True) if look == (width_pt, colour)]
        axes.add_collection(
            LineCollection(lines, linewidths=width_pt * frame.zoom, colors=colour, capstyle="round", zorder=1)
        )


def _whole_shape_m(network: RoadNetwork, edge: int) -> FloatArray:
    """Centre line of an edge, led on to the middles of its junctions so that streets do not break there."""
    ends = [network.edges.from_junction[edge], network.edges.to_junction[edge]]
    begin, end = np.column_stack((network.junctions.x_m[ends], network.junctions.y_m[ends]))
    return np.vstack((begin, network.edge_shape_m(edge), end))


def _draw_crashes(axes: Axes, crashes: Crashes, frame: _Frame) -> None:
    area_pt2 = _CRASH_PT**2 * frame.zoom**2
    axes.scatter(crashes.x_m, crashes.y_m, s=area_pt2, color=_CRASH, alpha=0.25, linewidths=0, zorder=2)


def _draw_spots(axes: Axes, hotspots: tuple[Hotspot, ...], at_m: FloatArray, frame: _Frame) -> None:
    """Draw circles with an area that follows the count, moved apart where they would hide each other."""
    share = np.array([spot.crashes for spot in hotspots]) / max(1, *(spot.crashes for spot in hotspots))
    diameter_pt = np.maximum(_LARGEST_PT * np.sqrt(share), _SMALLEST_PT)
    drawn_m = spread_circles(at_m, (diameter_pt / 2 + 0.5) * frame.metres_per_point)
    for spot, begin, end, size_pt in reversed(list(zip(hotspots, at_m, drawn_m, diameter_pt, strict=True))):
        axes.plot(*np.column_stack((begin, end)), color=_SPOT, linewidth=0.7, zorder=3)
        axes.scatter(end[0], end[1], s=size_pt**2, color=_SPOT, alpha=0.88, edgecolor="white", linewidth=0.8, zorder=4)
        axes.annotate(
            str(spot.rank),
            end,
            ha="center",
            va="center_baseline",
            fontsize=max(6.5, size_pt * 0.42),
            color="white",
            zorder=5,
        )


def _draw_scale(axes: Axes, frame: _Frame) -> None:
    """Draw a bar of a round length above the map, where no site can hide it."""
    longest = (frame.east_m - frame.west_m) / 4
    exponent = 10.0 ** math.floor(math.log10(longest))
    length_m = max(step * exponent for step in (1, 2, 5) if step * exponent <= longest)
    y_m = frame.north_m + 5 * frame.metres_per_point
    bar = (frame.east_m - length_m, frame.east_m)
    axes.plot(bar, (y_m, y_m), color=INK, linewidth=2, solid_capstyle="butt", clip_on=False)
    words = f"{length_m:g} m" if length_m < _KM_M else f"{length_m / _KM_M:g} km"
    axes.text(bar[0] - 5 * frame.metres_per_point, y_m, words, fontsize=8, ha="right", va="center")


def _list_spots(axes: Axes, hotspots: tuple[Hotspot, ...]) -> None:
    """Name the first sites with a bar for their crashes, those that hurt people dark."""
    axes.axis("off")
    listed = hotspots[:MAX_LISTED]
    most = max(1, *(spot.crashes for spot in listed))
    axes.set(xlim=(0, 1), ylim=(max(len(listed), 12) + 0.5, -1))
    for row, spot in enumerate(listed):
        harm = spot.injury_crashes + spot.fatal_crashes
        axes.text(0.055, row + 0.28, str(spot.rank), ha="right", fontsize=7.5, color=_SPOT, fontweight="bold")
        axes.text(0.08, row + 0.28, label(_name(spot), 50), fontsize=7.5)
        axes.barh(row + 0.6, 0.8 * spot.crashes / most, left=0.08, height=0.28, color="#e8b4a4")
        axes.barh(row + 0.6, 0.8 * harm / most, left=0.08, height=0.28, color=_SPOT)
        axes.text(0.08 + 0.8 * spot.crashes / most + 0.015, row + 0.72, str(spot.crashes), fontsize=6.5, color=MUTED)
    axes.text(0.08, -0.6, "crashes, dark: with people hurt or killed", fontsize=7.5, color=MUTED)


def _name(spot: Hotspot) -> str:
    """The streets that meet there, or the junction's id where they have no names."""
    return " \N{MULTIPLICATION SIGN} ".join(spot.street_names[:2]) or spot.site
