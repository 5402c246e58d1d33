"""`python -m training parity`: run every combination, with a progress bar, and write `docs/parity.md`."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.parity_cases import Case, cases
from training.parity_proof import Proof
from training.parity_table import holds, page, prove_all, summary


def write_parity(out: Path, only: str, workers: int) -> int:
    """Prove, print the counts and each refusal, write the page; the exit code."""
    chosen = [case for case in cases() if only in case.name]
    if not chosen:
        print(f"no combination's name holds {only!r}")
        return 1
    proofs = _proven(chosen, workers)
    print(summary(proofs))
    if not only:
        out.write_text(page(proofs), encoding="utf-8")
        print(f"wrote {out}")
    return 0 if holds(proofs) else 1


def _proven(chosen: list[Case], workers: int) -> list[Proof]:
    proofs = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("combinations", total=len(chosen))
        for proof in prove_all(chosen, workers):
            proofs.append(proof)
            progress.advance(task)
            if proof.verdict in ("refused", "silently inexact"):
                progress.console.print(f"{proof.verdict}: {proof.case.name}", markup=False, highlight=False)
    return proofs
