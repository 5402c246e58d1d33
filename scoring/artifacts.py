"""What is odd about a text but no reason to refuse it, in the fixed words of `artifacts`.

| word | what |
|---|---|
| lone_surrogate | half of a pair of UTF-16, U+D800 to U+DFFF: no text has it, a defect upstream made it |
| control_characters | U+0000 to U+001F, tabs and line ends among them, and U+007F to U+009F |

A text is compared with training's as it is, artifacts and all: two texts are the same if their code points are.
"""

from __future__ import annotations

import re

LONE_SURROGATE = "lone_surrogate"
CONTROL_CHARACTERS = "control_characters"

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def text_artifacts(text: str) -> tuple[str, ...]:
    """The words for what is odd about a text.

    >>> text_artifacts("ordinary"), text_artifacts("a\\tb"), text_artifacts("\\ud800")
    ((), ('control_characters',), ('lone_surrogate',))
    """
    if text.isascii() and text.isprintable():
        return ()
    found = ((LONE_SURROGATE, _SURROGATE), (CONTROL_CHARACTERS, _CONTROL))
    return tuple(word for word, pattern in found if pattern.search(text))
