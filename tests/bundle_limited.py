"""Run as a process with little memory: checks bundles and says each verdict, one JSON line a bundle.

python tests/bundle_limited.py library|script BYTES SECONDS KEY < paths
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from bundle_samples import Brought
from bundle_verdicts import by_library, by_script


def main() -> None:
    side, memory, seconds, key = sys.argv[1:]
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    check = by_library if side == "library" else by_script
    brought = Brought(key=key)
    for line in sys.stdin:
        path = Path(json.loads(line))
        begun = time.process_time()
        verdict = check(path, brought)
        said = [verdict.outcome, verdict.exit, verdict.first]
        print(json.dumps([said, time.process_time() - begun]), flush=True)


if __name__ == "__main__":
    main()
