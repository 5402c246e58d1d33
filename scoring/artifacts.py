"""What is odd about an instance but no reason to refuse it, in the fixed words of `artifacts`: `ARTIFACTS` lists them.

A text is compared with training's as it is, artifacts and all: two texts are the same if their code points are.
"""

from __future__ import annotations

import re

LONE_SURROGATE = "lone_surrogate"
CONTROL_CHARACTERS = "control_characters"
KNOWN_DEFAULT = "known_default"
UNSEEN_CATEGORY = "unseen_category"
DUPLICATE_INSTANCE = "duplicate_instance"

ARTIFACTS = {
    LONE_SURROGATE: "half of a pair of UTF-16, U+D800 to U+DFFF: no text has it, a defect upstream made it",
    CONTROL_CHARACTERS: "U+0000 to U+001F, tabs and line ends among them, and U+007F to U+009F",
    KNOWN_DEFAULT: "a declared value that a system upstream fills in when it knows nothing",
    UNSEEN_CATEGORY: "a string or boolean that training did not hold",
    DUPLICATE_INSTANCE: "the values of an earlier instance of the request, once more; of the instance as a whole",
}

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
