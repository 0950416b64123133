"""The command line in this process, as from a shell: Python started anew for each test takes most of its time."""

import io
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from scenarios.cli import main


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def bagdar(*words: object, cwd: Path | None = None) -> Done:
    """Run ``bagdar`` with words; what it does not turn into a line of its own fails the test."""
    out, err = io.StringIO(), io.StringIO()
    command = mock.patch.object(sys, "argv", ["bagdar", *map(str, words)])
    with chdir(cwd or Path.cwd()), redirect_stdout(out), redirect_stderr(err), command:
        try:
            main()
        except SystemExit as end:
            code = end.code
        else:
            code = 0
    assert isinstance(code, int)
    return Done(code, out.getvalue(), err.getvalue())
