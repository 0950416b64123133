"""Whole files or none."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from networks.faults import RunError
from networks.outfile import atomic_path, write_text


def test_a_file_appears_whole_with_its_suffixes(tmp_path):
    final = tmp_path / "new" / "a.rou.xml.gz"
    with atomic_path(final) as part:
        assert part.name.endswith(".rou.xml.gz")
        part.write_text("x")
        assert not final.exists()
    assert final.read_text() == "x"
    assert [path.name for path in final.parent.iterdir()] == [final.name]


@contextmanager
def _half_written(final: Path) -> Iterator[None]:
    with atomic_path(final) as part:
        part.write_text("half")
        yield


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), KeyboardInterrupt()]
)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    final = tmp_path / "a.csv"
    write_text(final, "old")
    expected = RunError if isinstance(fault, OSError) else type(fault)
    with pytest.raises(expected), _half_written(final):
        raise fault
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


def test_a_full_disk_is_told_in_a_line(tmp_path):
    message = r"WRITE_FAILED: .*a\.csv: No space left on device\. Free space"
    with pytest.raises(RunError, match=message), atomic_path(tmp_path / "a.csv"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="WRITE_FAILED"):
        write_text(Path(tmp_path / "file" / "a.csv"), "x")
