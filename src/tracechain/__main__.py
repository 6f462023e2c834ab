"""`python -m tracechain` is the terminal program."""

import sys

from tracechain.cli import main

sys.exit(main())
