"""Paths of our own routes, with the caller's key carried along.

A browser cannot send a header when a link is clicked, so a page that was asked for with `?code=` hands the code on in
its links. Pages say `no-referrer`, so that it goes nowhere else.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from evaluation.pages.text import LongText


def path(*segments: str) -> str:
    """A path made of segments, each escaped whole.

    >>> path("models", "a/b", "reports")
    '/models/a%2Fb/reports'
    """
    return "/" + "/".join(quote(segment.encode("utf-8", "replace"), safe="") for segment in segments)


def link(target: str, code: str | None = None, **query: str) -> LongText:
    """The path with a query, the key last; never cut off on its way into a page.

    >>> link("/docs", "a b"), link("/docs"), link("/docs", format="json")
    ('/docs?code=a+b', '/docs', '/docs?format=json')
    """
    pairs = query | ({"code": code} if code else {})
    return LongText(f"{target}?{urlencode(pairs, errors='replace')}" if pairs else target)
