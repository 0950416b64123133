"""Calls one function in a fresh process and prints what it cost.

``python -m benchmarks.child MODULE:NAME ARGUMENT...``: the function gets its arguments as text; importing it is not
counted.
"""

import json
import pkgutil
import sys
import time


def main() -> None:
    """Print the CPU time (s) of the call as JSON, with whatever figures the function returns as a dictionary."""
    name, *arguments = sys.argv[1:]
    function = pkgutil.resolve_name(name)
    began_s = time.process_time()
    returned = function(*arguments)
    used_s = time.process_time() - began_s
    print(json.dumps({"call_cpu_s": used_s} | (returned if isinstance(returned, dict) else {})))


if __name__ == "__main__":
    main()
