"""When a timer is due: the platform's rules on missed occurrences, and the file that remembers the last one.

A timer remembers when it last ran and when it is next due. After downtime over one or more occurrences it runs once,
as *past due*. A changed schedule is no missed occurrence. Timers that are due more often than once a minute do not
remember. The rules are those of Azure's ScheduleMonitor and TimerListener
(https://github.com/Azure/azure-webjobs-sdk-extensions/tree/dev/src/WebJobs.Extensions/Extensions/Timers).
"""

import contextlib
import json
import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from infra.local.ncrontab import Schedule
from infra.local.process import LocalError

logger = logging.getLogger("host")

NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Status:
    """When a timer last ran (NEVER: not yet), when it is next due, and the moment from which that was worked out."""

    last: datetime
    next: datetime
    updated: datetime


def first_status(schedule: Schedule, now: datetime) -> Status:
    """The status of a timer that has not run yet."""
    return Status(NEVER, due_after(schedule, now), now)


def status_after_run(schedule: Schedule, status: Status, invoked: datetime, on_schedule: bool) -> Status:
    """The status after a run that began at `invoked`; a clock that runs early does not make it due twice."""
    moment = max(invoked, status.next) if on_schedule else invoked
    return Status(moment, due_after(schedule, moment), moment)


def check_past_due(schedule: Schedule, status: Status | None, now: datetime) -> tuple[Status, bool]:
    """The status to go on with after a start at `now`, and whether an occurrence was missed meanwhile."""
    if status is None:
        return first_status(schedule, now), False
    expected = due_after(schedule, status.last if status.last != NEVER else status.updated)
    if status.next == expected:
        return status, now > status.next
    if now > expected:  # the schedule was changed, and the new one's occurrence is over already
        expected = due_after(schedule, now)
    return Status(status.last, expected, now), False


def is_frequent(schedule: Schedule, now: datetime) -> bool:
    """Whether two of the next ten occurrences are less than a minute apart."""
    moment = now
    for _ in range(10):
        following = due_after(schedule, moment)
        if moment != now and following - moment < timedelta(minutes=1):
            return True
        moment = following
    return False


def due_after(schedule: Schedule, moment: datetime) -> datetime:
    """The next occurrence. Raises LocalError for a schedule that has none."""
    found = schedule.next_after(moment)
    if found is None:
        raise LocalError(f"Schedule {schedule.expression!r} never comes due: no such date exists.")
    return found


def read_status(path: Path) -> Status | None:
    """The remembered status, None without one; an unreadable one is reported and forgotten, as the platform does."""
    try:
        content = json.loads(path.read_bytes())
        moments = [datetime.fromisoformat(content[name]) for name in ("Last", "Next", "LastUpdated")]
        if any(moment.tzinfo is None for moment in moments):
            raise ValueError("a moment lacks its time zone")
        return Status(*moments)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        logger.warning("%s is not a timer's status (%s): the timer starts anew.", path, error)
        return None


def write_status(path: Path, status: Status) -> None:
    """Remember a status: whole or not at all. A full disk is reported; the timer goes on."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(json.dumps(status_json(status)), encoding="utf-8")
        new.replace(path)
    except OSError as error:
        logger.error("%s cannot be written (%s): a missed run would not be noticed.", path, error.strerror)
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def status_json(status: Status) -> dict[str, str]:
    """The status as the platform writes it and hands it to functions."""
    return {
        "Last": status.last.isoformat(),
        "Next": status.next.isoformat(),
        "LastUpdated": status.updated.isoformat(),
    }
