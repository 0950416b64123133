"""Environments for agents: the libraries' own checkers, the run of a controller, seeds, masks, and what is refused."""

import csv
import re
import subprocess
import sys
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given
from hypothesis import strategies as st
from pettingzoo.test import parallel_api_test, parallel_seed_test

from networks.faults import InputError, RunError
from scenarios.environment import agent_spec
from signals.agent_view import encoded, encoded_names, encoded_size, granted_stages
from signals.interlock import SignalState, advance, begin, order
from signals.max_pressure import MaxPressure, MaxPressureParameters
from signals.observation import NOBODY
from signals.sensing import Camera, Connected, Loops
from sim.environment import COSTS, JunctionEnv, NetworkEnv
from sim.environment_process import ProcessEnv
from sim.run import RunSpec, simulate
from tests.command import bagdar
from tests.crossing import write_cars, write_crossing, write_scenario
from tests.test_controllers import THREE, seen

STEPS = 60


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossing")
    cars = write_cars(folder / "cars.rou.xml", 60, 20)
    return RunSpec("agent", "static", 3, write_crossing(folder), (cars,), 0.0, 300.0, ("c",), ("c",))


@pytest.fixture(scope="module")
def cologne(data_dir):
    network = data_dir / "resco" / "cologne8" / "cologne8.net.xml.gz"
    routes = (network.with_name("cologne8.rou.xml.gz"),)
    signals = ("247379907", "252017285", "256201389", "26110729", "280120513", "32319828", "62426694",
               "cluster_1098574052_1098574061_247379905")  # fmt: skip
    return RunSpec("agent", "static", 1, network, routes, 25200.0, 25500.0, signals, signals)


def played(env, choose, seed=None):
    """An episode's rows: observation, reward, truncated, info."""
    rows = [(*env.reset(seed=seed),)]
    observation, info = rows[0]
    rows, truncated = [(observation, 0.0, False, info)], False
    while not truncated:
        observation, reward, terminated, truncated, info = env.step(choose(env, info))
        assert terminated is False
        rows.append((observation, reward, truncated, info))
    return rows


def by_chance(seed):
    chance = np.random.default_rng(seed)
    return lambda _, info: chance.choice(np.flatnonzero(info["action_mask"]))


def same_measures(run):
    return {key: value for key, value in asdict(run.measures).items() if key not in COSTS}


def test_gymnasiums_checker_passes(spec):
    with JunctionEnv(spec) as env:
        check_env(env, skip_render_check=True)
    with JunctionEnv(spec, decide_every_s=5) as env:
        check_env(env, skip_render_check=True)


@pytest.mark.parametrize("every_s", [None, 5.0])
def test_pettingzoos_checker_passes(cologne, every_s):
    env = NetworkEnv(replace(cologne, end_s=25260.0), decide_every_s=every_s)
    parallel_api_test(env, num_cycles=100)
    env.close()


@pytest.mark.slow
def test_pettingzoos_checker_of_seeds_passes(spec):
    parallel_seed_test(partial(ProcessEnv, partial(NetworkEnv, spec)), num_cycles=STEPS)


@pytest.mark.slow
def test_several_at_once_work_in_processes(spec):
    envs = gymnasium.vector.AsyncVectorEnv([partial(JunctionEnv, spec)] * 2, context="spawn")
    first, _ = envs.reset(seed=[5, 5])
    for _ in range(STEPS):
        first, rewards, *_ = envs.step(np.array([1, 1]))
    assert np.array_equal(first[0], first[1])
    assert rewards[0] == rewards[1]
    envs.reset(seed=[5, 6])
    envs.close()


@pytest.mark.parametrize("sensing", [Connected(), Connected(0.3), Camera(), Loops()])
def test_who_decides_like_a_controller_gets_the_controllers_run(spec, sensing):
    own = replace(spec, sensing=sensing)
    env = JunctionEnv(own)
    law = MaxPressure(env.plan, MaxPressureParameters())
    rows = played(env, lambda env, _: law.wish(env.seen), seed=7)
    run = simulate(replace(own, controller="max-pressure", seed=7))
    assert rows[-1][3]["measures"] == same_measures(run)
    assert repr(env.run.junctions) == repr(run.junctions)
    assert env.run.measures.signal_switches > 10


def test_agents_at_many_junctions_get_the_controllers_run(cologne):
    env = NetworkEnv(cologne)
    laws = {name: MaxPressure(plan, MaxPressureParameters()) for name, plan in env.plans.items()}
    _, infos = env.reset()
    lost_s = next(iter(infos.values()))["delay_s"]
    while env.agents:
        asked = [name for name in env.agents if infos[name]["may_decide"]]
        _, rewards, _, _, infos = env.step({name: laws[name].wish(env.seen[name]) for name in asked})
        lost_s -= sum(rewards.values())
    run = simulate(replace(cologne, controller="max-pressure"))
    assert same_measures(env.run) == same_measures(run)
    # rewards of all agents add up to the delay of the network
    info = infos[env.possible_agents[0]]
    assert info["delay_s"] == pytest.approx(lost_s)
    assert info["delay_s"] == pytest.approx(run.measures.delay_per_scheduled_s * run.measures.scheduled, rel=0.05)


def test_delay_counts_those_who_wait_for_entry(spec, tmp_path):
    crowd = replace(spec, routes=(write_cars(tmp_path / "crowd.rou.xml", 250, 20),))
    rows = played(JunctionEnv(crowd), lambda _env, _info: 1)
    measures = rows[-1][3]["measures"]
    assert measures["never_inserted"] > 50
    honest_s = measures["delay_per_scheduled_s"] * measures["scheduled"]
    assert rows[-1][3]["delay_s"] == pytest.approx(honest_s, rel=0.02)
    assert rows[0][3]["delay_s"] - sum(row[1] for row in rows) == pytest.approx(rows[-1][3]["delay_s"])


def test_same_seed_and_actions_same_trajectory(spec):
    env = JunctionEnv(spec)
    one, two, other = (played(env, by_chance(1), seed) for seed in (11, 11, 12))
    assert all(np.array_equal(a[0], b[0]) and a[1:3] == b[1:3] for a, b in zip(one, two, strict=True))
    assert one[-1][3]["measures"] == two[-1][3]["measures"]
    assert one[-1][3]["measures"] != other[-1][3]["measures"]
    # without a seed each episode is another, the same one after another whenever they begin anew
    series = []
    for _ in range(2):
        env.reset(seed=4)
        series.append([played(env, by_chance(1))[-1][3]["measures"] for _ in range(2)])
    assert series[0] == series[1]
    assert series[0][0] != series[0][1]


def test_without_a_seed_the_first_episode_is_the_runs(spec):
    assert played(JunctionEnv(spec), by_chance(1))[-1][3]["measures"]["seed"] == spec.seed


def test_observations_are_in_their_space_and_an_episode_ends_with_the_time(spec):
    env = JunctionEnv(spec)
    rows = played(env, by_chance(2))
    assert all(row[0] in env.observation_space for row in rows)
    assert [row[2] for row in rows] == [False] * (len(rows) - 1) + [True]
    assert [rows[0][3]["time_s"], rows[-1][3]["time_s"]] == [7.0, 300.0]
    with pytest.raises(RunError, match=r"EPISODE_OVER.*reset"):
        env.step(0)


def test_steps_of_fixed_length(spec):
    rows = played(JunctionEnv(spec, decide_every_s=5), lambda _env, _info: 1)
    assert [row[3]["time_s"] for row in rows[:4]] == [0.0, 5.0, 10.0, 15.0]
    # the wish stands: minimum green of 7 s is over at 7 s, and the transition on its way at 10 s
    assert [row[3]["refused"] != "" for row in rows[:4]] == [False, True, False, False]
    assert [row[3]["action_mask"].tolist() for row in rows[:3]] == [[1, 0], [1, 0], [0, 1]]
    with pytest.raises(InputError, match="decide_every_s"):
        JunctionEnv(spec, decide_every_s=0.5)


def test_a_refused_wish_is_told_and_counted(spec):
    rows = played(JunctionEnv(spec), lambda _env, _info: 7)
    assert rows[1][3]["refused"] == "there is no stage 7"
    assert rows[-1][3]["measures"]["refused_wishes"] > 100
    # who stays for ever lets the others wait no longer than maximum red
    rows = played(JunctionEnv(spec), lambda _env, _info: 0)
    told = [row[3] for row in rows if row[3]["refused"]]
    assert "would be red for more than 120 s: stage 1 first" in told[0]["refused"]
    before = [row[3] for row, after in pairwise(rows) if after[3]["refused"]]
    assert all(info["action_mask"].tolist() == [0, 1] for info in before)


def test_a_reward_of_ones_own(spec):
    env = JunctionEnv(spec, reward=lambda before, after: after.time_s - before.time_s)
    assert sum(row[1] for row in played(env, by_chance(1))) == 293.0


def test_one_simulation_a_process_and_close_always_ends_it(spec, tmp_path):
    one, other = JunctionEnv(spec), JunctionEnv(spec)
    one.reset()
    with pytest.raises(RunError, match=r"ENGINE_BUSY.*docs/environments.md"):
        other.reset()
    one.step(0)
    one.close()
    one.close()
    other.reset()
    del other
    one.reset()
    one.close()
    short = JunctionEnv(replace(spec, end_s=5.0))
    with pytest.raises(InputError, match="EPISODE_SHORT"):
        short.reset()
    wrong = tmp_path / "wrong.rou.xml"
    wrong.write_text('<routes><vehicle id="a" depart="0"><route edges="cn wc"/></vehicle></routes>')
    broken = JunctionEnv(replace(spec, routes=(wrong,)))
    with pytest.raises(RunError, match="No connection between"):
        broken.reset()
    one.reset()
    one.close()


def test_a_fault_in_between_ends_the_simulation(spec):
    def wrong(_before, _after):
        raise ZeroDivisionError

    env = JunctionEnv(spec, reward=wrong)
    env.reset()
    with pytest.raises(ZeroDivisionError):
        env.step(0)
    env.close()
    one = JunctionEnv(spec)
    one.reset()
    one.close()


@pytest.mark.slow
def test_a_fault_in_a_process_is_raised_here(spec):
    with pytest.raises(InputError, match="SIGNAL_UNKNOWN"):
        ProcessEnv(partial(NetworkEnv, replace(spec, controlled=("absent",))))
    env = ProcessEnv(partial(NetworkEnv, spec))
    with pytest.raises(RunError, match="EPISODE_OVER"):
        env.step({"c": 0})
    env.close()
    with pytest.raises(RunError, match="WORKER_FAILED"):
        env.reset()


def test_what_others_write_to_standard_error_gets_there(spec, capfd):
    stream = sys.stderr
    env = JunctionEnv(spec)
    env.reset()
    print("progress", file=stream, flush=True)
    env.step(0)
    env.close()
    assert capfd.readouterr().err == "progress\n"


def test_one_junction_only(cologne, spec):
    with pytest.raises(InputError, match=r"8 signals.*NetworkEnv"):
        JunctionEnv(cologne)
    with pytest.raises(InputError, match="NO_SIGNALS"):
        JunctionEnv(replace(spec, controlled=()))


def test_without_the_extra_one_line_names_it():
    code = "import sys; sys.modules['pettingzoo'] = None; import sim.environment"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: environments need pettingzoo, which the extra `rl` brings: pip install 'bagdar[rl]'"
    )


def test_a_scenario_gives_the_run(tmp_path):
    spec = agent_spec(write_scenario(tmp_path), tmp_path / "agent")
    assert (spec.controlled, spec.seed, spec.end_s, spec.controller) == (("c",), 1, 300.0, "static")
    assert played(JunctionEnv(spec), by_chance(1))[-1][3]["measures"]["scheduled"] == 80


def test_observations_as_numbers():
    what = replace(
        seen(vehicles=(4, 0, 40)),
        stage=2,
        green_s=30.0,
        halted=np.array([2.0, 0.0, 40.0]),
        nearest_m=np.array([50.0, np.inf, 0.0]),
        closeness=np.array([1.0, 0.0, 40.0]),
        ahead=np.array([0.0, 8.0, 0.0]),
        blocked=np.array([False, True, False]),
        bus_lateness_s=np.array([np.nan, -60.0, 300.0]),
        approaching=NOBODY,
    )
    told = dict(zip(encoded_names(THREE), encoded(THREE, what).tolist(), strict=True))
    assert len(told) == encoded_size(THREE)
    # a lane of 200 m holds 26.7 vehicles of 7.5 m
    expected = {"vehicles[0]": 0.15, "vehicles[1]": 0, "vehicles[2]": 1, "halted[0]": 0.075, "nearness[0]": 0.75,
                "nearness[1]": 0, "nearness[2]": 1, "ahead[1]": 0.3, "blocked[0]": 0, "blocked[1]": 1,
                "bus_lateness[0]": 0, "bus_lateness[1]": 0, "bus_lateness[2]": 0.5, "stage[0]": 0, "stage[2]": 1,
                "green": 0.25}  # fmt: skip
    assert {name: told[name] for name in expected} == pytest.approx(expected)


@given(
    stage=st.integers(0, 2),
    green_s=st.floats(0, 200),
    waits_s=st.lists(st.floats(0, 200) | st.just(np.inf), min_size=3, max_size=3),
    demand=st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_the_mask_is_what_the_interlock_grants(stage, green_s, waits_s, demand):
    now_s, wanted = 1000.0, np.array(demand)
    greens = THREE.stages[stage].greens
    red = tuple(np.inf if bit in greens else now_s - wait for bit, wait in enumerate(waits_s))
    state = SignalState(stage, stage, now_s - green_s, red)
    mask = granted_stages(THREE, state, now_s, wanted)
    for wish in range(3):
        after, refusal = order(THREE, state, wish, now_s, wanted)
        assert mask[wish] == (refusal is None) == (after.target == wish)


def test_on_the_way_to_a_stage_it_alone_is_granted():
    state, _ = order(THREE, advance(THREE, begin(THREE, 0, 0.0), 50.0), 2, 50.0, np.zeros(3, dtype=bool))
    assert granted_stages(THREE, state, 51.0, np.ones(3, dtype=bool)).tolist() == [False, False, True]


@pytest.mark.slow
def test_the_example_of_the_document_runs_as_the_document_says(tmp_path):
    text = (Path(__file__).parents[1] / "docs" / "environments.md").read_text(encoding="utf-8")
    (code, *_) = re.findall(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "learned.py").write_text(code, encoding="utf-8")
    scenario = write_scenario(tmp_path)
    trained = subprocess.run(
        [sys.executable, "learned.py", "crossing.toml"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(re.findall(r"^generation \d: ", trained.stderr, flags=re.MULTILINE)) == 4
    scenario.write_text(scenario.read_text() + trained.stdout)
    done = bagdar("run", scenario, "-o", tmp_path / "results", "--seeds", "1", "--workers", "2")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "results" / "runs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    delay_s = {row["variant"]: float(row["delay_per_scheduled_s"]) for row in rows}
    assert delay_s["learned"] < 0.8 * delay_s["as shipped"]
    assert {row["monitor_violations"] for row in rows} == {"0"}


def test_what_the_document_says_is_told_is_told(spec):
    text = (Path(__file__).parents[1] / "docs" / "environments.md").read_text(encoding="utf-8")
    rows = played(JunctionEnv(spec), by_chance(1))
    assert set(re.findall(r"^\| `(\w+)` \|", text.split("**info**")[1], flags=re.MULTILINE)) == set(rows[-1][3])
    named = re.findall(
        r"^\| `(\w+)(?:\[i\])?` \|", text.split("**Observation**")[1].split("**Reward**")[0], re.MULTILINE
    )
    assert named == list(dict.fromkeys(name.partition("[")[0] for name in encoded_names(THREE)))
