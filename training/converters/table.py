"""What flows between the steps of a pipeline: columns of numbers, and columns of text as category numbers.

Text never enters the graph. A text column is one double a row: the position of its value in the column's vocabulary,
-1 for a text that is not in it, NaN for a missing one. Whatever an encoder or an imputer does to a text column is
then a table with a line for each value, one for "none of these" and one for "missing", which is filled in by asking
the fitted step itself (`training.converters.encoders`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training.converters.nodes import Nodes
from training.errors import ExportRefused

UNSEEN = "\ue000 a text that no training row holds \ue000"  # U+E000 is for private use: no data should hold it


@dataclass
class Vocabulary:
    """The texts that the pipeline tells apart in one column of its input; grows while converters find more."""

    name: str
    values: list[str]
    missing: Any  # what stands for a missing text in this column: None, NaN or pandas.NA
    grown: bool = False

    def learn(self, values: Sequence[str]) -> None:
        """Add values that an encoder was told of, though no training row holds them."""
        new = [value for value in values if value not in self.values]
        self.values += new
        self.grown |= bool(new)


@dataclass(frozen=True)
class Numbers:
    """A matrix of doubles, rows × `width`.

    `rounded`: positions of columns whose last bits are not those that scikit-learn computed (see `training.rounding`).
    """

    name: str
    width: int
    rounded: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Texts:
    """One column of category numbers: positions in `values`; -1 is any other text, NaN a missing one."""

    name: str
    values: tuple[str, ...]
    source: Vocabulary
    width: int = 1


@dataclass(frozen=True)
class Table:
    """Columns side by side.

    `wild`: a step before may have made infinities or NaN out of ordinary numbers.
    """

    parts: tuple[Numbers | Texts, ...]
    wild: bool = False

    @property
    def width(self) -> int:
        """How many columns."""
        return sum(part.width for part in self.parts)

    def select(self, nodes: Nodes, positions: Sequence[int]) -> Table:
        """Some columns, in the order asked for."""
        if list(positions) == list(range(self.width)):
            return self
        owners = [(part, i) for part in self.parts for i in range(part.width)]
        parts: list[Numbers | Texts] = []
        runs: list[tuple[Numbers, list[int]]] = []
        for position in positions:
            part, column = owners[position]
            if isinstance(part, Texts):
                runs = _closed(nodes, runs, parts)
                parts.append(part)
            elif runs and runs[-1][0] is part:
                runs[-1][1].append(column)
            else:
                runs = _closed(nodes, runs, parts)
                runs = [(part, [column])]
        _closed(nodes, runs, parts)
        return Table(tuple(parts), self.wild)

    def columns(self, nodes: Nodes) -> list[Numbers | Texts]:
        """Each column apart."""
        if all(part.width == 1 for part in self.parts):
            return list(self.parts)
        return [part for i in range(self.width) for part in self.select(nodes, [i]).parts]

    def matrix(self, nodes: Nodes, step: Any) -> str:
        """All columns as one matrix of doubles; refused if there is text among them."""
        for part in self.parts:
            if isinstance(part, Texts):
                raise ExportRefused(
                    f"{type(step).__name__} gets the text column {part.source.name!r} as it is; "
                    "put a OneHotEncoder, OrdinalEncoder or TargetEncoder before it, or in its place"
                )
        if not self.parts:
            raise ExportRefused(f"{type(step).__name__} gets no column at all")
        return nodes.concat([part.name for part in self.parts])

    def numbers(self, name: str, width: int, *, wild: bool | None = None) -> Table:
        """A table of one matrix made from this one."""
        rounded = self.rounded if width == self.width or not self.rounded else frozenset(range(width))
        return Table((Numbers(name, width, rounded),), self.wild if wild is None else wild)

    @property
    def rounded(self) -> frozenset[int]:
        """Positions of the columns whose last bits are not scikit-learn's."""
        starts = np.cumsum([0, *(part.width for part in self.parts)])
        return frozenset(
            int(start) + column
            for part, start in zip(self.parts, starts, strict=False)
            if isinstance(part, Numbers)
            for column in part.rounded
        )

    def with_other_last_bits(self) -> Table:
        """The same columns, all of them marked as rounded."""
        parts = [
            replace(part, rounded=frozenset(range(part.width))) if isinstance(part, Numbers) else part
            for part in self.parts
        ]
        return Table(tuple(parts), self.wild)

    @staticmethod
    def beside(tables: Sequence[Table]) -> Table:
        """Tables side by side."""
        parts = tuple(part for table in tables for part in table.parts)
        return Table(parts, any(table.wild for table in tables))


def _closed(
    nodes: Nodes, runs: list[tuple[Numbers, list[int]]], parts: list[Numbers | Texts]
) -> list[tuple[Numbers, list[int]]]:
    """Add the columns that were gathered to the parts."""
    for part, columns in runs:
        whole = columns == list(range(part.width))
        name = part.name if whole else nodes.columns(part.name, np.array(columns))
        rounded = frozenset(i for i, column in enumerate(columns) if column in part.rounded)
        parts.append(Numbers(name, len(columns), rounded))
    return []
