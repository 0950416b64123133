"""SUMO behind the engine: refused, heard, never two at once."""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from networks.faults import InputError, RunError
from sim.engine import Api, Engine, run_program
from sim.options import SumoOptions
from tests.crossing import write_cars, write_crossing


@pytest.fixture(scope="module")
def options(tmp_path_factory) -> SumoOptions:
    folder = tmp_path_factory.mktemp("engine")
    routes = write_cars(folder / "cars.rou.xml", 10, 10)
    return SumoOptions(write_crossing(folder), (routes,), 0, 300, seed=1)


def _in_child(task, *arguments):
    """Call a function in a fresh process: libsumo may hold one simulation in each."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(task, arguments)


def _start_two(options):
    with Engine(options) as engine:
        engine.run_to(10)
        try:
            with Engine(options):
                return "both ran"
        except RunError as fault:
            return fault.code, engine.time_s


def test_a_second_simulation_is_refused_and_the_first_goes_on(options):
    assert _in_child(_start_two, options) == ("ENGINE_BUSY", 10.0)


def _start_with(options):
    try:
        with Engine(options) as engine:
            engine.run_to(options.end_s)
    except (InputError, RunError) as fault:
        return fault.code, str(fault)
    return "", ""


@pytest.mark.parametrize("api", [Api.PROGRAM, Api.LIBSUMO])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": Path("none.net.xml")}, "not accessible"),
        ({"routes": (Path("none.rou.xml"),)}, "not accessible"),
    ],
)
def test_sumos_own_words_reach_the_error(options, api, change, words):
    asked = SumoOptions(**{name: getattr(options, name) for name in SumoOptions.__slots__} | change)
    if api is Api.LIBSUMO:
        code, text = _in_child(_start_with, asked)
    else:
        with pytest.raises(InputError) as caught:
            run_program(asked, None, 60)
        code, text = caught.value.code, str(caught.value)
    assert code == "SUMO_INPUT"
    assert words in text
    assert "\n" not in text


@pytest.mark.parametrize("api", [Api.PROGRAM, Api.LIBSUMO])
def test_demand_that_sumo_leaves_out_is_an_error(options, tmp_path, api):
    late = tmp_path / "late.rou.xml"
    late.write_text(
        '<routes><vehicle id="b" depart="9"><route edges="wc ce"/></vehicle>'
        '<vehicle id="a" depart="3"><route edges="wc ce"/></vehicle></routes>'
    )
    asked = SumoOptions(options.network, (late,), 0, 30, seed=1)
    if api is Api.LIBSUMO:
        code, text = _in_child(_start_with, asked)
    else:
        with pytest.raises(InputError) as caught:
            run_program(asked, None, 60)
        code, text = caught.value.code, str(caught.value)
    assert code == "ROUTE_IGNORED"
    assert "'a'" in text


def test_progress_is_simulated_time(options):
    seen: list[float] = []
    assert run_program(options, seen.append, 50) > 0
    assert seen == sorted(seen)
    assert seen[-1] == 300


def test_the_command_line_starts_without_heavy_modules():
    heavy = ("numba", "numpy", "pandas", "libsumo", "traci", "matplotlib", "scipy", "pyarrow")
    code = f"import sys, scenarios.cli; print([name for name in {heavy!r} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
