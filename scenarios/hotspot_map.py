"""The map of hotspots: streets, each crash as a faint dot, ranked sites as numbered circles, and their list."""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from networks.crashes import Crashes
from networks.network import FloatArray, RoadNetwork
from networks.screening import Hotspot
from networks.spatial import edge_lines
from scenarios.drawing import FAINT, INK, MUTED, WIDTH_IN, canvas, label
from scenarios.spread import spread_circles

MAX_LISTED = 30
"""Sites named beside the map; more would not be read."""

CAVEAT = (
    "A plain count overstates (regression to the mean): where many crashes happened by bad luck, fewer happen later "
    "with nothing done."
)
_LIST_SHARE = 0.36
_KM_M = 1000.0
_MARGIN = 0.06
_SMALLEST_SIDE_M = 600.0
_SMALLEST_PT, _LARGEST_PT = 12.0, 30.0
_CRASH, _SPOT = "#e69f00", "#a32b12"
_SIDE_STREET = (0.35, "#ccd4da")
_MAIN_STREETS = {
    **dict.fromkeys(("tertiary", "tertiary_link"), (0.7, "#b7c1c9")),
    **dict.fromkeys(("secondary", "secondary_link", "primary", "primary_link"), (1.2, "#a3afb9")),
    **dict.fromkeys(("trunk", "trunk_link", "motorway", "motorway_link"), (1.6, "#98a5b0")),
}
"""How wide (points) and in which grey a street of an OpenStreetMap class is drawn; all others are side streets."""


def draw_hotspots(path: Path, network: RoadNetwork, crashes: Crashes, hotspots: tuple[Hotspot, ...]) -> None:
    """Draw the ranked sites on the street map as a PNG file."""
    at_m = np.array([(spot.x_m, spot.y_m) for spot in hotspots])
    low, high = _box(at_m)
    map_width_in = WIDTH_IN * (1 - _LIST_SHARE)
    map_height_in = map_width_in * (high[1] - low[1]) / (high[0] - low[0])
    with canvas(path, map_height_in + 0.95, _title(hotspots), _note(network, crashes)) as figure:
        axes, names = figure.subplots(1, 2, width_ratios=(1 - _LIST_SHARE, _LIST_SHARE))
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
        axes.set_aspect("equal")
        axes.spines[:].set(visible=True, color=FAINT)
        _draw_streets(axes, network)
        inside = (crashes.x_m > low[0]) & (crashes.x_m < high[0]) & (crashes.y_m > low[1]) & (crashes.y_m < high[1])
        axes.scatter(crashes.x_m[inside], crashes.y_m[inside], s=1.6, color=_CRASH, alpha=0.25, linewidths=0, zorder=2)
        _draw_spots(axes, hotspots, at_m, (high[0] - low[0]) / (map_width_in * 72))
        _draw_scale(axes)
        _list_spots(names, hotspots)
        figure.supxlabel(CAVEAT, x=0.01, ha="left", fontsize=8, color=MUTED)


def _title(hotspots: tuple[Hotspot, ...]) -> str:
    return f"Where crashes concentrate: the {len(hotspots)} junctions with the most"


def _note(network: RoadNetwork, crashes: Crashes) -> str:
    files = ", ".join(Path(file).name for file in crashes.files)
    made_up = "SYNTHETIC accident records" if crashes.synthetic.any() else "crash records"
    is_osm = any(kind.startswith("highway.") for kind in network.edges.type_ids)
    streets = " · streets: © OpenStreetMap contributors" if is_osm else ""
    return f"{len(crashes):,} {made_up}: {label(files, 80)}{streets}"


def _box(at_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """South-west and north-east corners (m) around the sites, no slimmer than two to three."""
    middle, side = (at_m.min(axis=0) + at_m.max(axis=0)) / 2, np.ptp(at_m, axis=0) * (1 + 2 * _MARGIN)
    half = np.maximum(np.maximum(side, side[::-1] * 2 / 3), _SMALLEST_SIDE_M) / 2
    return middle - half, middle + half


def _draw_streets(axes: Axes, network: RoadNetwork) -> None:
    streets = np.flatnonzero(network.edges_for("passenger"))
    kinds = [network.edges.type_ids[street].removeprefix("highway.") for street in streets]
    looks = [_MAIN_STREETS.get(kind, _SIDE_STREET) for kind in kinds]
    shapes = [np.asarray(line.coords) for line in edge_lines(network, streets)]
    for look in sorted(set(looks)):
        lines = [shape for shape, its_look in zip(shapes, looks, strict=True) if its_look == look]
        axes.add_collection(LineCollection(lines, linewidths=look[0], colors=look[1], capstyle="round", zorder=1))


def _draw_spots(axes: Axes, hotspots: tuple[Hotspot, ...], at_m: FloatArray, metres_per_point: float) -> None:
    """Draw circles with an area that follows the count, moved apart where they would hide each other."""
    share = np.array([spot.crashes for spot in hotspots]) / max(spot.crashes for spot in hotspots)
    diameter_pt = np.maximum(_LARGEST_PT * np.sqrt(share), _SMALLEST_PT)
    drawn_m = spread_circles(at_m, (diameter_pt / 2 + 0.5) * metres_per_point)
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


def _draw_scale(axes: Axes) -> None:
    """Draw a bar of a round length in the corner."""
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    longest = (east - west) / 4
    exponent = 10.0 ** math.floor(math.log10(longest))
    length_m = max(step * exponent for step in (1, 2, 5) if step * exponent <= longest)
    x_m, y_m = west + 0.03 * (east - west), south + 0.03 * (north - south)
    axes.plot((x_m, x_m + length_m), (y_m, y_m), color=INK, linewidth=2, solid_capstyle="butt", zorder=6)
    words = f"{length_m:g} m" if length_m < _KM_M else f"{length_m / _KM_M:g} km"
    axes.annotate(words, (x_m, y_m), xytext=(0, 3), textcoords="offset points", fontsize=8, zorder=6)


def _list_spots(axes: Axes, hotspots: tuple[Hotspot, ...]) -> None:
    """Name the first sites with a bar for their crashes, those that hurt people dark."""
    axes.axis("off")
    listed = hotspots[:MAX_LISTED]
    most = listed[0].crashes
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
