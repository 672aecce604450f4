"""The worker: what is urgent goes first, what nobody wants is never begun, and who asks for the same shares it."""

import logging
import threading
import time

import pytest

from stylegenes.errors import UserError
from stylegenes.explorer.worker import Busy, Priority, Replaced, Stopped, Worker


@pytest.fixture
def worker():
    made = Worker(limit=8)
    yield made
    made.stop()


@pytest.fixture
def held(worker):
    """A worker that is at work until it is let go; and what it does then, in order."""
    begun, gate, order = threading.Event(), threading.Event(), []

    def hold():
        begun.set()
        gate.wait(10)

    first = worker.submit(hold)
    begun.wait(10)
    yield worker, order, gate
    gate.set()
    first.result(10)


def note(order, name):
    return lambda: order.append(name) or name


def test_clicks_go_before_hovers_before_thumbnails_before_all_else(held):
    worker, order, gate = held
    urgencies = [Priority.THUMBNAIL, Priority.BACKGROUND, Priority.CLICK, Priority.HOVER, Priority.CLICK]
    waiting = [worker.submit(note(order, (p, i)), p) for i, p in enumerate(urgencies)]
    gate.set()
    assert [one.result(10) for one in waiting] == [(p, i) for i, p in enumerate(urgencies)]
    assert order == [(0, 2), (0, 4), (1, 3), (2, 0), (3, 1)]


def test_what_was_given_up_is_never_begun(held):
    worker, order, gate = held
    one, two = worker.submit(note(order, 1)), worker.submit(note(order, 2))
    one.cancel()
    gate.set()
    assert two.result(10) == 2 and order == [2]
    assert worker.load.dropped == 1


def test_a_newer_request_of_a_slot_replaces_the_older_one(held):
    worker, order, gate = held
    old = worker.submit(note(order, "old"), slot="big")
    other = worker.submit(note(order, "other"), slot="small")
    new = worker.submit(note(order, "new"), slot="big")
    with pytest.raises(Replaced):
        old.result(0)
    gate.set()
    assert new.result(10) == "new" and other.result(10) == "other" and "old" not in order


def test_what_is_begun_is_not_replaced(worker):
    begun, gate = threading.Event(), threading.Event()
    first = worker.submit(lambda: begun.set() or gate.wait(10) or "first", slot="s")
    begun.wait(10)
    second = worker.submit(lambda: "second", slot="s")
    gate.set()
    assert first.result(10) and second.result(10) == "second"


def test_who_asks_for_the_same_shares_it(held):
    worker, order, gate = held
    asked = [worker.submit(note(order, "a"), Priority.THUMBNAIL, key="a") for _ in range(3)]
    between = worker.submit(note(order, "b"), Priority.HOVER)
    asked[0].cancel()
    urgent = worker.submit(note(order, "never"), Priority.CLICK, key="a")
    gate.set()
    assert [one.result(10) for one in [*asked[1:], urgent]] == ["a"] * 3
    assert between.result(10) == "b" and order == ["a", "b"]
    # Once it is done, it is done anew.
    assert worker.submit(note(order, "again"), key="a").result(10) == "again"


def test_too_much_is_refused_with_a_time_to_come_again(held):
    worker, order, gate = held
    waiting = [worker.submit(note(order, i), slot=str(i)) for i in range(7)]
    with pytest.raises(Busy) as busy:
        worker.submit(note(order, "more"))
    assert 1 <= busy.value.seconds <= 60
    # Who replaces an own request takes no more room.
    waiting[3] = worker.submit(note(order, "instead"), slot="3")
    waiting[0].cancel()
    assert worker.submit(note(order, "now")) is not None
    gate.set()
    assert waiting[3].result(10) == "instead"


def test_errors_go_to_who_asked_and_work_goes_on(worker):
    with pytest.raises(ZeroDivisionError):
        worker.submit(lambda: 1 / 0).result(10)
    assert worker.submit(lambda: 5).result(10) == 5


@pytest.mark.parametrize(("error", "logged"), [(RuntimeError("of our own"), True), (UserError("of theirs"), False)])
def test_an_error_that_nobody_takes_is_in_the_log(worker, caplog, error, logged):
    begun, gate = threading.Event(), threading.Event()

    def fail():
        begun.set()
        gate.wait(10)
        raise error

    left = worker.submit(fail, key="a")
    assert begun.wait(10) and left.cancel()
    gate.set()
    worker.submit(lambda: None).result(10)
    assert [record.exc_info[1] for record in caplog.records] == [error] * logged
    caplog.clear()
    with pytest.raises(type(error)), caplog.at_level(logging.DEBUG):
        worker.submit(fail).result(10)
    assert not caplog.records


def test_long_work_lets_more_urgent_work_through(worker):
    order = []
    begun = threading.Event()

    def long():
        begun.set()
        while "click" not in order:
            worker.serve()
            time.sleep(0.001)
        order.append("long")

    whole = worker.submit(long, Priority.BACKGROUND)
    begun.wait(10)
    later = worker.submit(note(order, "other long"), Priority.BACKGROUND)
    worker.submit(note(order, "click")).result(10)
    whole.result(10), later.result(10)
    assert order == ["click", "long", "other long"]


def test_closing_answers_everybody():
    worker = Worker()
    gate, begun = threading.Event(), threading.Event()
    worker.submit(lambda: begun.set() or gate.wait(10))
    begun.wait(10)
    waiting = worker.submit(lambda: 1)
    threading.Timer(0.1, gate.set).start()
    worker.stop()
    with pytest.raises(Stopped):
        waiting.result(0)
    with pytest.raises(Stopped):
        worker.submit(lambda: 1)


def test_many_threads_get_their_own_answers():
    worker = Worker(limit=10_000)
    wrong = []

    def ask(number):
        for i in range(200):
            key = f"{(number + i) % 7}"
            future = worker.submit(lambda key=key: key, Priority(i % 4), key=key, slot=f"{number}")
            if i % 5 == 0:
                future.cancel()
                continue
            if future.result(10) != key:
                wrong.append(key)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong and worker.load.waiting == 0
    worker.stop()
