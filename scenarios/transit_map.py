"""The map of an import: the paths of the routes, shapes that have none, stops served and stops left out."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from networks.geometry import from_lonlat
from networks.network import FloatArray, RoadNetwork
from scenarios.drawing import COLOURS, FAINT, INK, MUTED, WIDTH_IN, Drawing, canvas, label
from sim.transit import Transit
from sim.transit_account import Totals

NAMED = len(COLOURS)
"""Routes with a colour of their own, those with most trips; the others share one."""

_OTHERS, _STREETS, _LOST = "#7d8790", "#e4e8eb", "#b3261e"
_NEAR_M = 300.0
_MARGIN = 0.03


def draw_transit_map(path: Path, transit: Transit, network: RoadNetwork, totals: Totals, about: str) -> Drawing:
    """Draw what was matched: paths by route, the shapes' parts without streets in red, stops."""
    title = "Routes of the timetable on the streets"
    facts = (totals.service_date, f"{totals.trips_driven} trips", f"{totals.stops_placed} stops served")
    note = " · ".join([about, *facts] if about else facts)
    box = _box(transit)
    height_in = float(np.clip(WIDTH_IN * (box[3] - box[1]) / (box[2] - box[0]), 4.0, 13.0)) + 1.2
    with canvas(path, height_in, title, note) as figure:
        axes = figure.subplots()
        _draw_streets(axes, network, box)
        keys = [*_draw_paths(axes, transit), *_draw_lost(axes, transit, network), *_draw_stops(axes, transit, network)]
        axes.set(xlim=(box[0], box[2]), ylim=(box[1], box[3]), xticks=[], yticks=[])
        axes.set_aspect("equal")
        axes.spines[:].set(visible=True, color=FAINT)
        figure.legend(handles=keys, loc="outside lower center", ncols=4)
    caption = "Lines: where vehicles drive, by route. Red: parts of the feed's shapes that no street comes near."
    return Drawing(path, title, caption)


def _box(transit: Transit) -> tuple[float, float, float, float]:
    """West, south, east, north of all paths (m), with a margin."""
    corners = np.concatenate([part.corner_m for pattern in transit.patterns for part in pattern.paths])
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    margin = max(_MARGIN * max(east - west, north - south), _NEAR_M)
    return west - margin, south - margin, east + margin, north + margin


def _draw_streets(axes: Axes, network: RoadNetwork, box: tuple[float, float, float, float]) -> None:
    lines = [network.edge_shape_m(edge) for edge in np.flatnonzero(network.edges_for("bus")).tolist()]
    shown = [line for line in lines if box[0] < line[0, 0] < box[2] and box[1] < line[0, 1] < box[3]]
    axes.add_collection(LineCollection(shown, colors=_STREETS, linewidths=0.6, zorder=1))


def _draw_paths(axes: Axes, transit: Transit) -> list[Line2D]:
    """Paths by route, busy routes last, so that they lie on top."""
    day = transit.timetable
    trips = np.bincount(day.trip_route, minlength=len(day.routes))
    busiest = np.argsort(-trips, kind="stable").tolist()
    colours = dict(zip(busiest, COLOURS, strict=False))
    for route in reversed(busiest):
        rows = np.flatnonzero(day.patterns.route == route).tolist()
        lines = [part.corner_m for row in rows for part in transit.patterns[row].paths]
        colour, width_pt = colours.get(route, _OTHERS), 2.0 if route in colours else 1.0
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=width_pt, alpha=0.8, zorder=2))
    keys = [_key(day.routes.short_names[route] or day.routes.ids[route], colour) for route, colour in colours.items()]
    return [*keys, *([_key("other routes", _OTHERS)] if len(day.routes) > NAMED else [])]


def _key(name: str, colour: str) -> Line2D:
    return Line2D([], [], color=colour, linewidth=2, label=label(name, 24))


def _draw_lost(axes: Axes, transit: Transit, network: RoadNetwork) -> list[Line2D]:
    """Parts of shapes with no path within 30 m."""
    lost = [part for row in range(len(transit.patterns)) for part in _lost(transit, network, row)]
    axes.add_collection(LineCollection(lost, colors=_LOST, linewidths=1.0, linestyles="dotted", zorder=3))
    return [Line2D([], [], color=_LOST, linestyle="dotted", label="no street for it")] if lost else []


def _lost(transit: Transit, network: RoadNetwork, row: int) -> list[FloatArray]:
    from networks.kernels import distances_from_line  # noqa: PLC0415 - compiled, and only wanted here

    day, paths = transit.timetable, transit.patterns[row].paths
    shape = int(day.patterns.shape[row])
    if shape < 0 or not paths:
        return []
    line_m = from_lonlat(network.location, day.shapes.lonlat[day.shapes.points(shape)])
    gap = np.full((1, 2), np.nan)
    off_m = distances_from_line(line_m, np.concatenate([part for path in paths for part in (path.corner_m, gap)]))
    is_lost = np.flatnonzero(off_m > _NEAR_M / 10)
    runs = np.split(is_lost, np.flatnonzero(np.diff(is_lost) > 1) + 1)
    return [line_m[run] for run in runs if len(run) > 1]


def _draw_stops(axes: Axes, transit: Transit, network: RoadNetwork) -> list[Line2D]:
    day = transit.timetable
    at_m = from_lonlat(network.location, np.column_stack((day.stops.lon, day.stops.lat)))
    served = {int(day.call_stop[stop.call]) for vehicle in transit.vehicles for stop in vehicle.stops}
    mask = np.array([row in served for row in range(len(day.stops))], dtype=np.bool_)
    axes.plot(*at_m[mask].T, ".", color=INK, markersize=2.5, zorder=4)
    axes.plot(*at_m[~mask].T, "x", color=MUTED, markersize=3, zorder=4)
    return [
        Line2D([], [], linestyle="", marker=".", color=INK, label="stop served"),
        Line2D([], [], linestyle="", marker="x", color=MUTED, label="stop not served"),
    ]
