"""One command at a time in a folder of results; a folder that cannot be written to is told before any work."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from networks.faults import InputError

LOCK = ".lock"
REASONS = {
    PermissionError: "you may not write there",
    NotADirectoryError: "a file is in its way",
    FileExistsError: "a file is in its way",
}


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Make a folder if it is not there, and keep a second command out of it.

    The lock goes with the process, however that ends; no trace of it stays where the folder is left in order.

    Raises
    ------
    InputError
        FOLDER_BUSY where another command works in it, FOLDER_WRITE where nothing can be written.
    """
    path, is_new = folder / LOCK, not folder.exists()
    with _opened(folder, path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise _busy(folder) from fault
        if not path.exists() or os.fstat(lock.fileno()).st_ino != path.stat().st_ino:
            raise _busy(folder)  # the command before removed this one while it was opened
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            if is_new and not any(folder.iterdir()):
                folder.rmdir()  # a command that was refused leaves nothing


def _opened(folder: Path, path: Path) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return path.open("w")
    except OSError as fault:
        why = REASONS.get(type(fault), (fault.strerror or "it fails").lower())
        what, remedy = f"nothing can be written to this folder: {why}", "Choose another folder with -o"
        raise InputError("FOLDER_WRITE", what, file=folder, remedy=remedy) from fault


def _busy(folder: Path) -> InputError:
    remedy = "Wait for it or choose another folder"
    return InputError("FOLDER_BUSY", "another command is working here", file=folder, remedy=remedy)
