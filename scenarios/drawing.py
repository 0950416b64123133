"""One calm style for every figure: colours that the colour-blind tell apart, no pyplot, the same bytes each time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.style import context

from networks.outfile import atomic_path
from scenarios.content import short

WIDTH_IN = 9.6
"""Width of a figure: the report's column at 100 pixels an inch."""

DOTS_PER_INCH = 150

_NOTE_IN = 0.28

INK = "#22282e"
MUTED = "#6b747c"
FAINT = "#dde2e6"
LINK = "#bcc5cc"

BASELINE_COLOUR = "#5c656d"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette (Color Universal Design, 2008), for the variants after the first."""

MARKERS = ("o", "s", "D", "^", "v", "P", "X")

_FONT = "DejaVu Sans"
_STYLE = {
    "font.family": _FONT,
    "font.size": 10,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure on disk: where it lies, its title, and what it shows in words, for those too who cannot see it."""

    path: Path
    title: str
    caption: str


@contextmanager
def canvas(path: Path, height_in: float, title: str, note: str = "") -> Iterator[Figure]:
    """Give an empty figure in the house's style; afterwards write it as a PNG file, whole or not at all.

    ``note`` stands small below the title.
    """
    with context(["default", _STYLE]):
        figure = Figure(figsize=(WIDTH_IN, height_in), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(
            f"{title}\n" if note else title, x=0.01, ha="left", fontsize=12, fontweight="bold", linespacing=1.6
        )
        figure.text(0.01, 1 - _NOTE_IN / height_in, note, va="top", fontsize=8.5, color=MUTED)
        yield figure
        with atomic_path(path) as part:
            figure.savefig(part, format="png", metadata={"Software": None})


def colour_of(position: int) -> str:
    """Colour of a variant by its position in the study, the first being grey."""
    return BASELINE_COLOUR if position == 0 else COLOURS[(position - 1) % len(COLOURS)]


def marker_of(position: int) -> str:
    """Marker of a variant by its position, so that colour is never alone in telling variants apart."""
    return MARKERS[position % len(MARKERS)]


def variant_legend(figure: Figure, names: Sequence[str]) -> None:
    """Name the variants below a figure, each with its marker and colour."""
    keys = [
        Line2D([], [], linestyle="", markersize=8, marker=marker_of(position), color=colour_of(position))
        for position in range(len(names))
    ]
    figure.legend(keys, [label(name) for name in names], loc="outside lower center", ncols=4, handletextpad=0.2)


def label(name: str, limit: int = 34) -> str:
    """Give a name as it can be drawn: short, on one line, with a box for each letter that the font lacks."""
    drawable = _drawable_letters()
    return "".join(letter if ord(letter) in drawable else "\N{WHITE SQUARE}" for letter in short(name, limit))


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a chart on its left, the first row on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def title_values(axes: Axes, title: str) -> None:
    """Title the value axis of a chart of rows and give it faint lines."""
    axes.set_xlabel(title)
    axes.grid(axis="x")
    axes.tick_params(axis="x", length=0)


@cache
def _drawable_letters() -> frozenset[int]:
    return frozenset(get_font(findfont(FontProperties(family=_FONT))).get_charmap())
