"""Which method tells the next period best, on the user's own records: tables, lines and a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.lines import Line2D

from networks.faults import InputError
from networks.network import RoadNetwork
from networks.screening_check import ALL_SITES, MethodCheck, PredictorCheck, check_methods, check_predictors, checkable
from networks.site_counts import of_years
from scenarios.drawing import FAINT, INK, MUTED, Drawing, canvas, label
from scenarios.hotspot_views import METHOD_NAMES
from scenarios.hotspots import CrashScene, evidence_of, read_scene, scene_of
from scenarios.tables import write_csv
from scenarios.text_table import aligned

_BEFORE, _AFTER, _EXPECTED = "#d55e00", "#22282e", "#0072b2"


@dataclass(frozen=True, slots=True)
class Periods:
    """Calendar years to choose by and to judge by, first and last of each."""

    before: tuple[int, int]
    after: tuple[int, int]

    def words(self) -> tuple[str, str]:
        """Both as texts."""
        before, after = (
            str(first) if first == last else f"{first} to {last}" for first, last in (self.before, self.after)
        )
        return before, after


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """How each method's list fared, and how far each way to foretell counts lies off."""

    periods: Periods
    injury_only: bool
    is_synthetic: bool
    files: tuple[str, ...]
    methods: tuple[MethodCheck, ...]
    predictors: tuple[PredictorCheck, ...]

    def tables(self) -> dict[str, tuple[Any, ...]]:
        """Both tables by name."""
        return {"methods": self.methods, "predictors": self.predictors}


def validate_methods(
    network: RoadNetwork,
    crash_paths: Sequence[str | Path],
    columns_path: str | Path | None,
    periods: Periods,
    *,
    top: int,
    rule: str | Path | None = None,
    exposure: Path | None = None,
    injury_only: bool = False,
) -> Validation:
    """Let every method choose by one period and judge it by another.

    Raises
    ------
    InputError
        As :func:`scenarios.hotspots.read_scene`; NO_HOTSPOTS where a period has no record at a site; CONFIG_VALUE where
        the periods overlap.
    """
    if not (periods.before[1] < periods.after[0] or periods.after[1] < periods.before[0]):
        raise InputError(
            "CONFIG_VALUE", "the two periods overlap", field="--to", remedy="Judge by years that were not chosen by"
        )
    scene = read_scene(network, crash_paths, columns_path, exposure=exposure, rule=rule)
    return validation_of(scene, periods, top=top, injury_only=injury_only)


def validation_of(scene: CrashScene, periods: Periods, *, top: int, injury_only: bool) -> Validation:
    """Judge the methods on records that have been read already."""
    before, after = (
        evidence_of(_period(scene, span), injury_only=injury_only, years=float(span[1] - span[0] + 1))
        for span in (periods.before, periods.after)
    )
    methods = [method for method in checkable(before) if method in checkable(after)]
    return Validation(
        periods,
        injury_only,
        bool(scene.crashes.synthetic.any()),
        scene.crashes.files,
        check_methods(before, after, methods, top),
        check_predictors(before, after),
    )


def _period(scene: CrashScene, span: tuple[int, int]) -> CrashScene:
    part = scene_of(scene, of_years(scene.crashes, *span))
    if not (part.matches.site >= 0).any():
        first, last = span
        raise InputError(
            "NO_HOTSPOTS", f"no record of {first} to {last} lies at a junction", file=scene.crashes.files[0],
            remedy="Name years that the files hold",
        )  # fmt: skip
    return part


def validation_lines(validation: Validation) -> Iterator[str]:
    """The tables as lines of text."""
    before, after = validation.periods.words()
    counted = "injury crashes" if validation.injury_only else "crashes"
    yield f"{counted} at the junctions that each method picks by {before}:"
    yield ""
    yield from aligned([_head(before, after), *(_cells(row) for row in validation.methods)])
    yield ""
    yield f"how far each way to foretell {after} lies off, over all junctions:"
    yield ""
    rows = [
        (row.predictor, f"{row.mean_absolute_error:.3f}", f"{row.root_mean_square_error:.3f}")
        for row in validation.predictors
    ]
    yield from aligned([("way", "mean absolute error", "root mean square error"), *rows])


def _head(before: str, after: str) -> tuple[str, ...]:
    return ("method", "sites", before, after, "change", "expected (95 %)", "off by", "chosen again")


def _cells(row: MethodCheck) -> tuple[str, ...]:
    known = np.isfinite(row.expected)
    return (
        METHOD_NAMES.get(row.method, row.method),
        str(row.sites),
        f"{row.before:.0f}",
        f"{row.after:.0f}",
        f"{row.change_share:+.0%}",
        f"{row.expected:.0f} ({row.expected_low:.0f} to {row.expected_high:.0f})" if known else "",
        f"{row.error_share:+.0%}" if known else "",
        f"{row.chosen_again:.0f}",
    )


def write_validation(validation: Validation, out_dir: str | Path) -> Drawing:
    """Write validation.csv, predictors.csv and figures/validation.png.

    Raises
    ------
    RunError
        WRITE_FAILED; no file then stands under the final name.
    """
    folder = Path(out_dir)
    write_csv(folder / "validation.csv", MethodCheck, validation.methods)
    write_csv(folder / "predictors.csv", PredictorCheck, validation.predictors)
    return draw_validation(folder / "figures" / "validation.png", validation)


def draw_validation(path: Path, validation: Validation) -> Drawing:
    """What each list had, what came, and what Empirical Bayes had expected."""
    rows = [row for row in validation.methods if row.method != ALL_SITES]
    before, after = validation.periods.words()
    counted = "injury crashes" if validation.injury_only else "crashes"
    title = f"The junctions picked by {before}: what came in {after}, with nothing done"
    with canvas(path, 0.72 * len(rows) + 1.5, title, _note(validation, counted)) as figure:
        axes = figure.subplots()
        for place, row in enumerate(rows):
            axes.annotate(
                "", (row.after, place - 0.16), (row.before, place - 0.16),
                arrowprops={"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.2, "shrinkA": 6, "shrinkB": 6},
            )  # fmt: skip
            axes.plot(
                (row.expected_low, row.expected_high), (place + 0.16,) * 2, color=_EXPECTED, linewidth=5, alpha=0.3
            )
            axes.plot(row.expected, place + 0.16, "D", color=_EXPECTED, markersize=7)
            axes.plot(
                row.before, place - 0.16, "o", color=_BEFORE, markersize=8, markerfacecolor="white", markeredgewidth=2
            )
            axes.plot((row.after,) * 2, (place - 0.34, place + 0.34), color=_AFTER, linewidth=2.5)
            words = f"{row.change_share:+.0%} against the count" + (
                f"\n{row.error_share:+.0%} against what was expected" if np.isfinite(row.error_share) else ""
            )
            axes.annotate(
                words, (1.01, place), xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color=INK
            )
        axes.set_yticks(range(len(rows)), [f"{METHOD_NAMES[row.method]}\n{row.sites} junctions" for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{counted.capitalize()} at the junctions of the list")
        axes.grid(axis="x", color=FAINT)
        axes.margins(x=0.08)
        figure.legend(
            handles=_keys(before, after), loc="outside lower center", ncols=4, handletextpad=0.8, fontsize=8.5
        )
    caption = (
        f"Circles: what the list was picked by ({before}). Black: what came ({after}). Blue: what Empirical Bayes "
        "expected for the same junctions, with the range of 95 % of outcomes."
    )
    return Drawing(path, title, caption)


def _keys(before: str, after: str) -> list[Any]:
    looks: dict[str, Any] = {"linestyle": ""}
    return [
        Line2D(
            [],
            [],
            marker="o",
            color=_BEFORE,
            markerfacecolor="white",
            markeredgewidth=2,
            label=f"counted in {before}",
            **looks,
        ),
        Line2D(
            [], [], marker="|", color=_AFTER, markersize=13, markeredgewidth=2.5, label=f"counted in {after}", **looks
        ),
        Line2D([], [], marker="D", color=_EXPECTED, label="expected", **looks),
        Line2D([], [], color=_EXPECTED, linewidth=5, alpha=0.3, label="95 % of outcomes"),
    ]


def _note(validation: Validation, counted: str) -> str:
    made_up = "SYNTHETIC " if validation.is_synthetic else ""
    files = ", ".join(Path(file).name for file in validation.files)
    every = [row for row in validation.methods if row.method == ALL_SITES]
    city = f" · at all {every[0].sites:,} junctions {every[0].change_share:+.0%}" if every else ""
    return f"{made_up}{counted}: {label(files, 70)}{city}"
