"""`python -m training demo|export|fit|report|parity`."""

from __future__ import annotations

import sys

from training.command import main

if __name__ == "__main__":
    sys.exit(main())
