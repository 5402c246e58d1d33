"""`python -m training.credit export|play|check`."""

from __future__ import annotations

import sys

from training.credit.command import main

if __name__ == "__main__":
    sys.exit(main())
