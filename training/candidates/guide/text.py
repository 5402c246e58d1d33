"""The guide's words, with the figures of the run in their places."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from evaluation.figure_names import TITLES
from evaluation.pages.numbers import number, percent
from training.candidates.comparison import Comparison
from training.candidates.judging import Judged
from training.candidates.selection import with_error

NAME = "snakes-on-a-hyperplane.md"
REMEDIES = {
    "logistic-class-weights": (
        "Class weights",
        "An error on a fraud costs as much more as fraud is rarer: `class_weight=\"balanced\"`. Cheap, and the first "
        "to try.",
    ),
    "logistic-importance": (
        "Importance weighting",
        "A weight for each row, `sample_weight`: here the square root of the class weight, for when the full weight "
        "raises too many false alarms. Weights may come from elsewhere too, such as what each payment is worth.",
    ),
    "logistic-upsampling": (
        "Upsampling",
        "Frauds are drawn again, with replacement, until there are as many as other payments. Only among the rows that "
        "the model is fitted on: a copy on both sides of a fold would be recognised, and the figures would flatter.",
    ),
    "boosting-class-weights": (
        "Boosting",
        "Each tree works on what the trees before got wrong, with class weights. It bends to any boundary, and wants "
        "more frauds than there are here to know which.",
    ),
    "one-class-svm": (
        "Anomaly detection",
        "A one-class SVM learns the common class alone and calls everything outside it fraud. Not here: these frauds "
        "lie within what is common. See below for a case that is its own.",
    ),
    "logistic-threshold": (
        "A tuned threshold",
        "The model stays as it is; fraud is said from a lower probability than one half, chosen by cross-validation "
        "within the training rows. The probabilities keep their meaning, which class weights take from them.",
    ),
}  # fmt: skip


def guide(curved: Comparison, rare: Comparison, around: Comparison) -> str:
    """The whole document."""
    text = "\n".join([_opening(), _curved(curved), _rare(rare), _around(around), _closing()])
    return "\n\n".join(_wrapped(block) for block in text.strip().split("\n\n")) + "\n"


def _wrapped(block: str) -> str:
    """A paragraph in lines of 120; tables, headings, lists, code and pictures as they are."""
    if block.lstrip("\n").startswith(("|", "#", "!", "- ", "```")):
        return block.strip("\n")
    words = " ".join(re.split("[ \n]+", block.strip()))  # not at a space that keeps "97.9 %" together
    return textwrap.fill(words, 120, break_long_words=False, break_on_hyphens=False)


def _opening() -> str:
    return """# Snakes on a Hyperplane: choosing a model before production

Cases from the talk *Snakes on a Hyperplane: Python Machine Learning in Production* (PyCon 2017), run with
`python -m training fit`'s own comparison. Every figure and picture below was written by

```sh
python -m training.candidates.guide
```

from seeded data (`training/candidates/guide/cases.py`); run it and you get the same. On a table of your own:

```sh
python -m training fit payments.csv --target fraud --name fraud --metric balanced_accuracy --no-export
```

"By fold" is the mean over five folds and its standard error; the other figures are over all rows, each judged by a
model that had not seen it.
"""


def _curved(comparison: Comparison) -> str:
    found = _by_name(comparison)
    line, kernel, forest = found["logistic"], found["svm-rbf"], found["random-forest"]
    polynomial, splines = found["logistic-polynomial"], found["logistic-splines"]
    return f"""## A straight line is right nine times in ten

A part is good when its pressure suits its temperature, and the boundary between is a curve. 1 % of the labels are
wrong, so nobody is right more than 99 times in 100. Logistic regression, which draws a straight line, has an accuracy
of **{_accuracy(line)}**. That sounds finished. It is not: an SVM with an RBF kernel has **{_accuracy(kernel)}**, a
random forest **{_accuracy(forest)}**.

{_pictures({"Logistic regression": line, "SVM, RBF kernel": kernel, "Random forest": forest}, "curved")}

The fault is not in the linear model but in its features. Given products and squares of the columns (`polynomial`) it
has **{_accuracy(polynomial)}**, given a smooth curve of each column (`splines`) **{_accuracy(splines)}**: a straight
line in those features is a curve in the columns. It stays a linear model: small, fast, with a coefficient to read for
each feature, and smooth where a forest is ragged.

{_pictures({"Polynomial": polynomial, "Splines": splines}, "curved")}

{_table(comparison, ("accuracy", "balanced_accuracy", "roc_auc"))}

{comparison.selection.sentence}

What to take along: a linear model at 92 % asks for a look at its errors, not for production. Try the flexible ones to
learn what is possible, then features that bring the linear one level.
"""


def _rare(comparison: Comparison) -> str:
    found = _by_name(comparison)
    before = found["logistic"]
    remedies = [_remedy(found[name], before, name) for name in REMEDIES if name in found]
    frauds = comparison.problem.target.counts[1]
    return f"""## Right 98 times in 100, and useless

2 % of payments are fraud. Always answering "no" is right **{percent(max(comparison.problem.target.shares))}** of the
time. Logistic regression is right **{_accuracy(before)}** of the time, with a recall of
**{_share(before, "recall")}**: of {frauds} frauds it finds {_hits(before)}. That is no bug. Frauds are
larger and farther from home, but nowhere so frequent that fraud would be the likelier answer, and accuracy asks for the
likelier answer. Its ranking is good all the same (ROC AUC {number(before.figures["roc_auc"].value)}): the model knows
which payments are suspicious. The question was wrong, not the model.

![Logistic regression](rare-logistic.svg)

Accuracy cannot see any of this, so the comparison shows balanced accuracy (the mean of the two classes' recalls),
precision, recall and the share of the most predicted class beside it, next to the baseline, and says in words when a
model predicts one class only.

### The remedies

{chr(10).join(remedies)}
### All of them beside each other

{_table(comparison, ("accuracy", "precision", "recall", "f1", "roc_auc"), most=True)}

{comparison.selection.sentence}

None of the remedies has a higher accuracy than always answering "no", and that is the point: they trade false alarms
for frauds. Which trade is right depends on what a false alarm costs; pick by a metric that says so (`--metric f1`,
`recall`, `balanced_accuracy`), and look at the threshold plot of the comparison's page.
"""


def _around(comparison: Comparison) -> str:
    found = _by_name(comparison)
    before, weighted = found["logistic"], found["logistic-class-weights"]
    kernel, detector = found["svm-rbf-class-weights"], found["one-class-svm"]
    return f"""## Rare, and each in its own way

2 % of machines are about to fail; their readings lie all around the usual ones. No straight line parts them, so class
weights do not help a linear model: it finds **{_share(before, "recall")}** without and **{_share(weighted, "recall")}**
with them, at an accuracy of {_accuracy(weighted)}. An SVM with an RBF kernel and class weights bends around the usual
machines and finds {_share(kernel, "recall")}, at a precision of {_share(kernel, "precision")}. The one-class SVM, which
learns what is usual from the usual machines alone, finds **{_share(detector, "recall")}**, at a precision of
{_share(detector, "precision")}, without a single example of a failure.

{_pictures({"Class weights": weighted, "SVM, RBF kernel": kernel, "One-class SVM": detector}, "around")}

{_table(comparison, ("accuracy", "precision", "recall", "f1", "roc_auc"), most=True)}

{comparison.selection.sentence}
"""


def _closing() -> str:
    return """## What stays with the model

- The bundle keeps the pick's figures on rows that no candidate had seen, the convergence notes of all its fits, and the
  sentence that says why it was picked; every report shows production's figures beside them.
- Upsampling and weights change what a model is fitted on. The baseline of the bundle is always the rows as they came,
  since production is compared with what is usual.
"""


def _remedy(after: Judged, before: Judged, name: str) -> str:
    title, words = REMEDIES[name]
    return f"""**{title}.** {words} Recall {_share(before, "recall")} → **{_share(after, "recall")}**, precision
{_share(after, "precision")}, accuracy {_accuracy(after)}.

![{title}](rare-{name}.svg)
"""


def _pictures(shown: Mapping[str, Judged], case: str) -> str:
    """Pictures beside each other."""
    cells = [f"![{title}]({case}-{one.candidate.name}.svg)" for title, one in shown.items()]
    return f"| {' | '.join(cells)} |\n|{'---|' * len(cells)}"


def _table(comparison: Comparison, figures: Sequence[str], *, most: bool = False) -> str:
    metric = comparison.metric
    heads = ["Candidate", f"{TITLES[metric][0]}, by fold"]
    heads += [TITLES[name][0].partition(" (")[0] for name in figures if name != metric]
    heads += ["Most predicted"] if most else []
    rows = [heads, ["---", *["--:"] * (len(heads) - 1)]]
    for one in (comparison.baseline, *comparison.selection.ranked):
        cells = [one.candidate.title, with_error(one.score or 0.0, one.error)]
        cells += [number(one.figures[name].value) for name in figures if name != metric]
        cells += [percent(one.most_predicted[1])] if most and one.most_predicted else []
        rows.append(cells)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _by_name(comparison: Comparison) -> dict[str, Judged]:
    return {one.candidate.name: one for one in comparison.found}


def _accuracy(one: Judged) -> str:
    return _share(one, "accuracy")


def _share(one: Judged, figure: str) -> str:
    value = one.figures[figure].value
    return "undefined" if value is None else percent(value)


def _hits(one: Judged) -> str:
    hits = one.confusion[1][1]
    return "none" if not hits else f"{hits:,}"
