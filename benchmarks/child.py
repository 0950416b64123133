"""Calls one function in a fresh process and prints what it cost.

``python -m benchmarks.child MODULE:NAME ARGUMENT...``: the function gets its arguments as text. Importing it is not
counted; what it starts is.
"""

import json
import pkgutil
import sys

from benchmarks.cpu import used_cpu_s


def main() -> None:
    """Print the CPU time (s) of the call as JSON, with whatever figures the function returns as a dictionary."""
    name, *arguments = sys.argv[1:]
    function = pkgutil.resolve_name(name)
    began_s = used_cpu_s()
    returned = function(*arguments)
    print(json.dumps({"call_cpu_s": used_cpu_s() - began_s} | (returned if isinstance(returned, dict) else {})))


if __name__ == "__main__":
    main()
