"""What the tests share: the real data, where it lies and what happens when it does not."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    # the same examples each time; elsewhere chance goes on looking for others
    settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: where processes share the tests, none is left alone with one at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real data: ``BAGDAR_DATA``, or ``../shared/data`` beside the project.

    Without it a test skips and says so; where ``CI`` is set its absence is a failure.
    """
    beside = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BAGDAR_DATA", beside))
    if not folder.is_dir():
        message = f"real data not found at {folder}: set BAGDAR_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def adlershof() -> Path:
    """Network file of Berlin-Adlershof that the SUMO wheel carries."""
    import sumo  # noqa: PLC0415 - the wheel's location is needed here alone

    return Path(sumo.SUMO_HOME) / "tools" / "game" / "DRT" / "osm.net.xml"
