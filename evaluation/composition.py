"""What `python -m evaluation` is put together from: the one file of evaluation that knows scoring beyond the bundle.

A report's audit section replays a sample, and a replay is scoring's. The timer in `function_app` may import both and
hands a replayer in; a command has nobody above it to do that, so it is done here, for nothing but
`scoring.replay.Replayer`. `tests/test_architecture.py` knows this one import by name, and docs/decisions/0016 why it is
there. Both imports are made when they are called for: most commands replay nothing.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from audit.key_ring import KeyRing, trusted
from audit.settings import AuditSettings
from audit.store import Store
from evaluation.vouching.means import Means

if TYPE_CHECKING:
    from evaluation.vouching.means import Replays


def means_of(settings: AuditSettings, log: Store, models: Path) -> Means:
    """What a command's reports may vouch with: the keys that the settings name, and the bundles in a folder."""
    return Means(KeyRing(functools.partial(trusted, settings)).keys, functools.partial(_replayer, log, models))


def _replayer(log: Store, models: Path) -> Replays:
    from scoring.replay import Replayer

    return Replayer(log, models)
