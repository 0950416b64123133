"""Figures: always the same bytes, for any study and any name; circles that do not hide each other; rounded numbers."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imread

from networks.netxml import read_network
from scenarios.compare import compare
from scenarios.content import short
from scenarios.figures import draw_figures
from scenarios.maps import draw_map
from scenarios.numerals import interval, number, percent, shared_decimals
from scenarios.spread import spread_circles
from tests.made_up import failed_run, study, typed

FIGURES = ("map", "delay", "delay_sources", "junction_delay", "junction_queues")
BLUE, ORANGE = (0, 96, 168), (192, 74, 0)


@pytest.fixture(scope="module")
def network(adlershof):
    return read_network(adlershof)


def pixels(path):
    return np.rint(imread(path)[..., :3] * 255).astype(np.int64)


def test_every_figure_is_drawn_whole_and_wide_enough(network, tmp_path):
    drawings = draw_figures(tmp_path, study(network))
    assert tuple(drawing.path.stem for drawing in drawings) == FIGURES
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(f"{name}.png" for name in FIGURES)
    assert {pixels(drawing.path).shape[1] for drawing in drawings} == {1440}
    assert all(drawing.title and drawing.caption for drawing in drawings)


def test_the_same_study_gives_the_same_bytes_whatever_matplotlib_was_told(network, tmp_path):
    draw_figures(tmp_path / "a", study(network))
    before = dict(mpl.rcParams)
    with mpl.rc_context({"lines.linewidth": 9.0, "font.size": 30.0, "savefig.dpi": 30}):
        draw_figures(tmp_path / "b", study(network))
    assert dict(mpl.rcParams) == before
    for name in FIGURES:
        first, second = (tmp_path / side / "figures" / f"{name}.png" for side in "ab")
        assert first.read_bytes() == second.read_bytes(), name
        assert b"Software" not in first.read_bytes()


def test_the_map_shows_less_delay_blue_and_more_delay_orange(network, tmp_path):
    bar = {"delays_s": (("as shipped", 50.0), ("smart", 20.0))}
    draw_map(tmp_path / "better.png", study(network, **bar))
    draw_map(tmp_path / "worse.png", study(network, delays_s=(("as shipped", 20.0), ("smart", 50.0))))
    above_the_scale = slice(0, 900)
    better, worse = (pixels(tmp_path / f"{name}.png")[above_the_scale] for name in ("better", "worse"))

    def share(picture, colour):
        return (np.abs(picture - colour).max(axis=2) <= 12).mean()

    assert share(better, BLUE) > 10 * share(better, ORANGE)
    assert share(worse, ORANGE) > 10 * share(worse, BLUE)


def test_the_map_of_a_study_without_junctions_is_the_streets(network, tmp_path):
    drawing = draw_map(tmp_path / "map.png", study(network, junctions=()))
    assert "no junction was measured" in drawing.caption
    assert (pixels(drawing.path) < 250).any(axis=2).mean() > 0.01


def test_a_junction_that_the_network_does_not_know_is_left_out(network, tmp_path):
    content = study(network)
    gone = {content.junctions[0].junction}
    rows = tuple(replace(row, junction="gone") if row.junction in gone else row for row in content.junctions)
    draw_map(tmp_path / "map.png", replace(content, junctions=rows))
    assert (tmp_path / "map.png").exists()


def test_studies_with_failures_and_single_variants_can_be_drawn(network, tmp_path):
    content = study(network)
    names = [variant.name for variant in content.variants]
    for count, failed in enumerate(({"actuated"}, {"as shipped"}, set(names))):
        runs = tuple(failed_run(run.variant, run.seed) if run.variant in failed else run for run in content.runs)
        changed = replace(content, runs=runs, comparisons=compare(runs, content.junctions, names))
        drawings = draw_figures(tmp_path / str(count), changed)
        assert len(drawings) == (1 if len(failed) == 3 else 5)
    assert len(draw_figures(tmp_path / "one", study(network, delays_s=(("alone", 30.0),), seeds=(1,)))) == 5


def test_names_that_look_like_formulas_or_lack_letters_can_be_drawn(network, tmp_path):
    odd = ("$\\frac{1$", "路口 😀", "a\nb\tc", "")
    content = study(network, delays_s=tuple((name, 50.0 + position) for position, name in enumerate(odd)))
    junctions = tuple(replace(row, name=odd[row.seed % 4]) for row in content.junctions)
    draw_figures(tmp_path, replace(content, junctions=junctions))


points = st.tuples(st.floats(0, 100), st.floats(0, 100))


@given(st.lists(st.tuples(points, st.floats(0.5, 3)), min_size=1, max_size=25))
def test_circles_do_not_overlap_and_stay_inside(circles):
    centres = np.array([centre for centre, _ in circles])
    radii = np.array([radius for _, radius in circles])
    bounds = np.array([[-50.0, -50.0], [150.0, 150.0]])
    moved = spread_circles(centres, radii, bounds)
    distance = np.hypot(*(moved[:, None] - moved[None, :]).T)
    needed = radii[:, None] + radii[None, :]
    np.fill_diagonal(needed, 0)
    assert (distance - needed).min() > -0.02
    assert (moved >= bounds[0]).all()
    assert (moved <= bounds[1]).all()


def test_circles_with_room_stay_where_they_are():
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [10.5, 0.0]])
    moved = spread_circles(centres, np.ones(3))
    assert moved[0].tolist() == [0.0, 0.0]
    assert moved[2, 0] - moved[1, 0] == pytest.approx(2.0, abs=0.01)


def test_crowded_circles_end_inside_all_the_same():
    moved = spread_circles(np.zeros((9, 2)), np.full(9, 3.0), np.array([[-5.0, -5.0], [5.0, 5.0]]))
    assert np.abs(moved).max() <= 2.0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (81.4, "81"),
        (8.14, "8.1"),
        (0.814, "0.81"),
        (0.0004, "0.00"),
        (3, "3"),
        (12345.6, "12 346"),
        (-0.2, "-0.20"),
        (float("nan"), "?"),
        (float("inf"), "?"),
    ],
)
def test_numbers_as_people_read_them(value, text):
    assert typed(number(value)) == text


@pytest.mark.parametrize(
    ("share", "text"), [(-0.34, "-34 %"), (0.004, "+0.4 %"), (0.0, "0 %"), (12.7, "+1 270 %"), (float("nan"), "?")]
)
def test_percentages(share, text):
    assert typed(percent(share)) == text


@pytest.mark.parametrize(
    ("difference", "low", "high", "text"),
    [
        (-28.3, -31.2, -25.4, "-31 to -25"),
        (-0.33, -0.61, -0.05, "-0.6 to -0.1"),
        (-14.0, -28.0, -0.03, "-28.00 to -0.03"),
        (1.0, -12.0, 14.0, "-12 to +14"),
        (0.0, 0.0, 0.0, "0 to 0"),
        (2.5, float("nan"), float("nan"), "?"),
    ],
)
def test_intervals_keep_their_side_of_zero(difference, low, high, text):
    assert typed(interval(low, high, shared_decimals(difference, low, high))) == text


def test_long_names_keep_both_ends_and_lose_what_cannot_be_printed():
    assert short("cluster_" + "1" * 90 + "_end", 20) == "cluster_11111…11_end"
    assert short(" Main\u202e \x00Street\n", 20) == "Main Street"
