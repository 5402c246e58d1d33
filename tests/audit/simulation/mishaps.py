"""Everything that can go wrong with a call to the store, or with the process that makes it. One function a kind.

Each is given the line that the call goes over and the call's effect, and plays the call to its end: when the effect
takes place, how often, and what the caller hears. `LINE_MISHAPS` befall calls that change something, `READ_MISHAPS`
those that do not, `PROCESS_MISHAPS` either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from audit.errors import Ambiguous, AuditError, Conflict, Exists, Unavailable
from tests.audit.simulation.schedule import Killed

if TYPE_CHECKING:
    from tests.audit.simulation.unreliable_store import Line

type Effect = Callable[[], Any]
type Mishap = Callable[[Line, Effect], Any]

TIMEOUT_S = 5.0
SOON_S = 0.05
HOUR_S = 3600.0


def _request_lost(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    raise Ambiguous("the connection was reset")


def _reply_lost(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    _quietly(effect)
    line.wait(SOON_S)
    raise Ambiguous("the connection was reset")


def _timeout_before(line: Line, effect: Effect) -> None:
    line.sleep(TIMEOUT_S)
    raise Ambiguous("timed out")


def _timeout_after(line: Line, effect: Effect) -> None:
    line.wait(TIMEOUT_S)
    _quietly(effect)
    line.wait(TIMEOUT_S)
    raise Ambiguous("timed out")


def _delayed(line: Line, effect: Effect) -> None:
    line.later(effect)
    line.wait(TIMEOUT_S)
    raise Ambiguous("timed out; the call is still under way")


def _repeated(line: Line, effect: Effect) -> None:
    """Somebody between sends it twice; the caller hears of the first."""
    line.wait(SOON_S)
    line.later(effect)
    effect()
    line.wait(SOON_S)


def _repeated_and_refused(line: Line, effect: Effect) -> None:
    """Somebody between sends it twice at once; the caller hears of the second."""
    line.wait(SOON_S)
    _quietly(effect)
    line.wait(SOON_S)
    effect()


def _error_before(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    raise Ambiguous("500")


def _error_after(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    _quietly(effect)
    raise Ambiguous("500")


def _busy(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    raise Unavailable("503 ServerBusy")


def _unreachable(line: Line, effect: Effect) -> None:
    raise Unavailable("connection refused")


def _refused_before(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    raise _refusal(line)


def _refused_after(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    _quietly(effect)
    line.wait(SOON_S)
    raise _refusal(line)


def _unforeseen(line: Line, effect: Effect) -> None:
    if line.chance(0.5):
        _quietly(effect)
    raise ZeroDivisionError("the SDK has a bug")


def _read_lost(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    raise Unavailable("the connection was reset")


def _read_timeout(line: Line, effect: Effect) -> None:
    line.sleep(TIMEOUT_S)
    raise Unavailable("timed out")


def _slow(line: Line, effect: Effect) -> Any:
    line.wait(30.0)
    answer = effect()
    line.wait(30.0)
    return answer


def _killed_before(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    line.kill()
    raise Killed


def _killed_after(line: Line, effect: Effect) -> None:
    line.wait(SOON_S)
    _quietly(effect)
    line.kill()
    raise Killed


def _killed_in_flight(line: Line, effect: Effect) -> None:
    line.later(effect)
    line.kill()
    raise Killed


def _frozen_before(line: Line, effect: Effect) -> Any:
    """A zombie: it goes on when its hour is long over, as if no time had passed."""
    line.freeze()
    return effect()


def _frozen_after(line: Line, effect: Effect) -> Any:
    answer = effect()
    line.freeze()
    return answer


def _clock_forward(line: Line, effect: Effect) -> Any:
    line.process.clock_off_s += line.between(1.0, 3 * HOUR_S)
    return effect()


def _clock_back(line: Line, effect: Effect) -> Any:
    line.process.clock_off_s -= line.between(1.0, 3 * HOUR_S)
    return effect()


def _shut_down(line: Line, effect: Effect) -> Any:
    line.process.shut_down()
    line.wait(SOON_S)
    return effect()


def _outage(line: Line, effect: Effect) -> None:
    line.network.outage_until_s = line.world.schedule.now_s + line.between(0.5, 60.0)
    raise Unavailable("connection refused")


def _storm(line: Line, effect: Effect) -> Any:
    """For a while most calls go wrong, so that one mishap meets the next."""
    line.network.storm_until_s = line.world.schedule.now_s + line.between(0.5, 40.0)
    return effect()


LINE_MISHAPS: dict[str, Mishap] = {
    "request lost": _request_lost,
    "reply lost": _reply_lost,
    "time-out before": _timeout_before,
    "time-out after": _timeout_after,
    "arrives later": _delayed,
    "repeated": _repeated,
    "repeated, 412/409": _repeated_and_refused,
    "500 before": _error_before,
    "500 after": _error_after,
    "503": _busy,
    "unreachable": _unreachable,
    "412/409 before": _refused_before,
    "412/409 after": _refused_after,
    "unforeseen error": _unforeseen,
}
READ_MISHAPS: dict[str, Mishap] = {"read lost": _read_lost, "read timed out": _read_timeout}
LISTING_MISHAP = "listing broken off"
PROCESS_MISHAPS: dict[str, Mishap] = {
    "slow": _slow,
    "killed before": _killed_before,
    "killed after": _killed_after,
    "killed, call under way": _killed_in_flight,
    "frozen before": _frozen_before,
    "frozen after": _frozen_after,
    "clock forward": _clock_forward,
    "clock back": _clock_back,
    "shut down": _shut_down,
    "outage": _outage,
    "storm": _storm,
}
CALL_MISHAPS = LINE_MISHAPS | READ_MISHAPS
ALL_KINDS = (*CALL_MISHAPS, LISTING_MISHAP, *PROCESS_MISHAPS)


def _quietly(effect: Effect) -> None:
    """It takes effect or not; nobody hears which."""
    try:
        effect()
    except AuditError:
        return


def _refusal(line: Line) -> AuditError:
    return Conflict("412") if line.what == "append" else Exists("409")
