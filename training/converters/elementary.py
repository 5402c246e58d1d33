"""log1p and expm1 to the last bit but one: log(1 + x) and exp(x) - 1 as they stand lose all digits of a small x.

    log1p(x) = x · log(u) ÷ (u - 1)  with u = 1 + x,     x where u is 1
    expm1(x) = x · (u - 1) ÷ log(u)  with u = exp(x),    x where u is 1, -1 where u - 1 is

(W. Kahan; N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, sections 1.14 and 2.)
"""

from __future__ import annotations

import numpy as np

from training.converters.nodes import Nodes

ONE = np.array([1.0])


def log1p(nodes: Nodes, x: str) -> str:
    """Logarithm of 1 + x; NaN below -1, -infinity at -1."""
    u = nodes.op("Add", x, ONE)
    same = nodes.op("Equal", u, ONE)
    shift = nodes.op("Sub", u, ONE)
    safe = nodes.op("Where", same, ONE, shift)
    found = nodes.op("Mul", nodes.op("Log", u), nodes.op("Div", x, safe))
    endless = nodes.op("IsInf", x)
    return nodes.op("Where", same, x, nodes.op("Where", endless, nodes.op("Log", u), found))


def expm1(nodes: Nodes, x: str) -> str:
    """Exponential of x, minus 1; infinity where it overflows."""
    u = nodes.op("Exp", x)
    less = nodes.op("Sub", u, ONE)
    same = nodes.op("Equal", u, ONE)
    plain = nodes.op("Or", nodes.op("IsInf", u), nodes.op("Equal", less, np.array([-1.0])))
    log = nodes.op("Where", nodes.op("Or", same, plain), ONE, nodes.op("Log", u))
    found = nodes.op("Mul", x, nodes.op("Div", less, log))
    return nodes.op("Where", same, x, nodes.op("Where", plain, less, found))
