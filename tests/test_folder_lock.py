"""One command at a time in a folder."""

import pytest

from networks.faults import InputError
from scenarios.folder_lock import only_one


def test_a_second_command_is_kept_out_while_the_first_works_and_no_longer(tmp_path):
    folder = tmp_path / "results" / "monday"
    with only_one(folder), pytest.raises(InputError, match=r"FOLDER_BUSY: .*another command is working here"):
        only_one(folder).__enter__()
    with only_one(folder):
        (folder / "table.csv").write_text("")
    assert [path.name for path in folder.iterdir()] == ["table.csv"]


def test_a_command_that_writes_nothing_leaves_no_folder_but_one_that_was_there(tmp_path):
    with only_one(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with only_one(tmp_path / "old"):
        pass
    assert (tmp_path / "old").is_dir()


def test_a_command_that_fails_leaves_no_lock(tmp_path):
    with pytest.raises(ZeroDivisionError), only_one(tmp_path):
        raise ZeroDivisionError
    with only_one(tmp_path):
        pass


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (PermissionError(13, "Permission denied"), "you may not write there"),
        (OSError(30, "Read-only file system"), "read-only file system"),
    ],
)
def test_a_folder_that_cannot_be_written_to_is_told_in_plain_words(tmp_path, monkeypatch, fault, words):
    def refuse(*_words, **_options):
        raise fault

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(InputError, match=f"FOLDER_WRITE: .*{words}. Choose another folder"):
        only_one(tmp_path / "no").__enter__()


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a file is in its way"):
        only_one(tmp_path / "file" / "results").__enter__()
