"""Templates to text: autoescaped, and every value passed through `shown` on its way out.

`finalize` sees each value that a template prints, so no template can forget to shorten one or to show a control
character. Only what this package itself drew (plots, the stylesheet) comes as `Markup` and is left alone.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.pages import links, numbers
from evaluation.pages.text import LongText, shortened, shown

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """The page that `templates/{template}` makes of the values."""
    return _environment().get_template(template).render(values)


def markup(svg: str) -> str:
    """Marks text as drawn by us, for plots and nothing else: it goes out unescaped."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704  plots escape what they are given


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": numbers.number,
        "amount": numbers.count,
        "counted": numbers.counted,
        "percent": numbers.percent,
        "ms": numbers.milliseconds,
        "duration": numbers.duration,
        "when": numbers.when,
        "long": LongText,
        "prose": shortened,
        "short": functools.partial(shown, limit=48),
    }
    environment.globals |= {
        "stylesheet": markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        "link": links.link,
        "path": links.path,
    }
    return environment


def _finalize(value: Any) -> Any:
    from markupsafe import Markup

    if isinstance(value, Markup):
        return value
    if value is None:
        return numbers.NOTHING
    return shown(value if isinstance(value, str) else str(value))
