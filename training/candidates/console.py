"""The comparison on a terminal: a bar over candidates and folds, then a table; plain lines where there is no terminal.

Names of classes come from outside, so they are shown escaped and never as markup.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from evaluation.figure_names import TITLES
from evaluation.terminal import plain
from evaluation.wording import share
from training.candidates.catalogue import Candidate
from training.candidates.comparison import Comparison, Pick
from training.candidates.judging import Judged
from training.candidates.page import figures_shown, heading, ordered, values_of
from training.candidates.selection import score_in_words

BRIEF = {"Accuracy": "Acc.", "Balanced accuracy": "Bal. acc.", "ROC AUC": "AUC", "ROC AUC, macro": "AUC"}


class Bar:
    """A bar that moves with every fit; what is said stands above it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def begin(self, fits: int) -> None:
        """Show the bar."""
        self._task = self._progress.add_task("Comparing", total=fits)

    def fitted(self, candidate: Candidate) -> None:
        """Move it on."""
        if self._task is not None:
            self._progress.update(self._task, advance=1, description=candidate.title)

    def compared(self, found: Judged) -> None:
        """Nothing: the table comes at the end."""

    def say(self, message: str) -> None:
        """Print above the bar."""
        self._progress.console.print(plain(message))


class Lines:
    """One line a candidate."""

    def begin(self, fits: int) -> None:
        """Say how much there is to do."""
        self.say(f"{fits} fits to compare candidates")

    def fitted(self, candidate: Candidate) -> None:
        """Nothing: a line a candidate is enough."""

    def compared(self, found: Judged) -> None:
        """Its score."""
        remarks = "; ".join((*found.remarks, *_not_converged(found)))
        self.say(f"  {found.candidate.title:<44} {score_in_words(found)}{'  ' + remarks if remarks else ''}")

    def say(self, message: str) -> None:
        """Print a line, now."""
        print(plain(message).plain, flush=True)


@contextmanager
def watching() -> Iterator[Bar | Lines]:
    """A bar on a terminal, lines elsewhere."""
    if not sys.stdout.isatty():
        yield Lines()
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(), transient=True) as progress:
        yield Bar(progress)


def print_comparison(comparison: Comparison, pick: Pick) -> None:
    """The table of candidates, and what was decided."""
    console = Console() if sys.stdout.isatty() else Console(width=180)
    table = Table(box=None, pad_edge=False)
    table.add_column("", width=1)
    table.add_column("Candidate", overflow="fold", min_width=18)
    for name in (f"{TITLES[comparison.metric][0]}, folds", *map(_brief, figures_shown(comparison))):
        table.add_column(name, justify="right")
    if comparison.problem.target.classes:
        table.add_column("Most pred.", justify="right")
    table.add_column("In words", overflow="fold", min_width=20, ratio=1)
    for one in ordered(comparison):
        table.add_row(*map(plain, _cells(one, comparison, pick)), style="bold" if one is pick.judged else "")
    console.print(table)
    for note in comparison.notes:
        console.print(plain(f"note: {note}"))


def _cells(one: Judged, comparison: Comparison, pick: Pick) -> list[str]:
    most = [share(one.most_predicted[1]) if one.most_predicted else "–"] if comparison.problem.target.classes else []
    words = "; ".join((*one.remarks, *_not_converged(one)))
    mark = "*" if one is pick.judged else ""
    return [mark, one.candidate.title, score_in_words(one), *values_of(one, comparison), *most, words]


def _not_converged(found: Judged) -> list[str]:
    return ["did not converge in every fold"] if found.out_of_fold.convergence else []


def _brief(figure: str) -> str:
    return BRIEF.get(heading(figure), heading(figure))
