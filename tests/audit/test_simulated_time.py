"""One actor at a time, time that jumps, and processes that stand still or end."""

from __future__ import annotations

from tests.audit.simulation.schedule import News, Schedule
from tests.audit.simulation.world import Process


def test_who_sleeps_lets_others_run_in_the_order_of_their_times() -> None:
    schedule, seen = Schedule(), list[tuple[str, float]]()

    def sleeper(name: str, *pauses_s: float) -> None:
        for pause_s in pauses_s:
            schedule.sleep(pause_s)
            seen.append((name, schedule.now_s))

    schedule.start(Process("a"), lambda: sleeper("a", 1.0, 3.0))
    schedule.start(Process("b"), lambda: sleeper("b", 2.0, 0.5))
    schedule.at(2.25, lambda: seen.append(("event", schedule.now_s)))
    schedule.run()
    assert seen == [("a", 1.0), ("b", 2.0), ("event", 2.25), ("b", 2.5), ("a", 4.0)]
    assert (schedule.asleep, schedule.trouble) == (0, [])


def test_a_frozen_process_goes_on_later_and_a_dead_one_never() -> None:
    schedule, seen = Schedule(), list[tuple[str, float]]()
    zombie, dead = Process("zombie"), Process("dead")

    def sleeper(process: Process) -> None:
        schedule.sleep(2.0)
        seen.append((process.name, schedule.now_s))

    def strike() -> None:
        zombie.frozen_until_s = 7200.0
        dead.alive = False

    schedule.start(zombie, lambda: sleeper(zombie))
    schedule.start(dead, lambda: sleeper(dead))
    schedule.at(1.0, strike)
    schedule.run()
    assert seen == [("zombie", 7200.0)]
    assert schedule.asleep == 0, "the dead one's thread has ended too"


def test_news_wakes_who_waits_for_it_once() -> None:
    schedule, seen = Schedule(), list[float]()
    news = News(schedule)

    def waiter() -> None:
        for _ in range(2):
            news.wait(10.0)
            seen.append(schedule.now_s)

    schedule.start(Process("a"), waiter)
    schedule.at(3.0, news.notify)
    schedule.run()
    assert seen == [3.0, 13.0]


def test_an_error_of_an_actor_or_an_event_is_kept_and_the_others_go_on() -> None:
    schedule, seen = Schedule(), list[float]()

    def bug() -> None:
        raise ZeroDivisionError

    def sleeper() -> None:
        schedule.sleep(5.0)
        seen.append(schedule.now_s)

    schedule.start(Process("a"), bug)
    schedule.at(1.0, bug)
    schedule.start(Process("b"), sleeper)
    schedule.run()
    assert [type(problem) for problem in schedule.trouble] == [ZeroDivisionError, ZeroDivisionError]
    assert seen == [5.0]


def test_what_goes_in_circles_is_stopped() -> None:
    schedule = Schedule()

    def restless() -> None:
        while True:
            schedule.sleep(0.001)

    schedule.start(Process("a"), restless)
    schedule.run()
    assert schedule.overrun
    assert schedule.asleep == 0
