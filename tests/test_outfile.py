"""Whole files or none."""

import errno
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


@pytest.mark.parametrize(
    "fault", [OSError(errno.ENOSPC, "No space left on device"), ValueError("x"), KeyboardInterrupt()]
)
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    final = tmp_path / "a.csv"
    write_text(final, "old")
    with pytest.raises((RunError, ValueError, KeyboardInterrupt)), atomic_path(final) as part:
        part.write_text("half")
        raise fault
    assert final.read_text() == "old"
    assert list(tmp_path.iterdir()) == [final]


def test_a_full_disk_is_told_in_a_line(tmp_path):
    with pytest.raises(RunError, match=r"WRITE_FAILED: .*a\.csv: No space left on device\. Free space"):
        with atomic_path(tmp_path / "a.csv"):
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises((RunError, OSError)):
        write_text(Path(tmp_path / "file" / "a.csv"), "x")
