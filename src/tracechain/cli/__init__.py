"""The terminal program. What it can do, the library can do; here it gets words, colours and exit codes.

Exit codes: 0 fine, 1 findings, 2 unusable input (wrong usage included), 70 a fault of tracechain itself,
130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code; never a traceback for what a user can cause."""
    try:
        import click  # noqa: F401 - only asked for
        import rich  # noqa: F401 - likewise
    except ImportError as error:
        sys.stderr.write(
            f"tracechain: the terminal program needs the package {error.name}: pip install 'tracechain[cli]'\n"
        )
        return 2
    from tracechain.cli.program import run

    return run(arguments)
