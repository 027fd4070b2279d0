"""Flow control and sessions of sockets, without sockets."""

from types import SimpleNamespace

import pytest

from queueing.events import sockets
from queueing.events.sockets import CloseCode, SendWindow, SessionWatch


@pytest.fixture
def clock(monkeypatch):
    """A list whose only number is the time."""
    now = [0.0]
    monkeypatch.setattr(sockets, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def make_window(**limits):
    return SendWindow(**({"max_unread": 100, "resume_below": 40, "ack_every": 20, "timeout": 5.0} | limits))


def test_send_window_asks_for_an_acknowledgement_every_ack_every_units(clock):
    window = make_window()
    assert [window.sent(10) for _ in range(6)] == [None, 1, None, 2, None, 3]


def test_send_window_closes_at_max_unread_and_opens_below_resume_below(clock):
    window = make_window()
    numbers = [window.sent(20) for _ in range(4)]
    assert not window.closed
    numbers.append(window.sent(20))
    assert window.closed
    assert not window.acknowledge(numbers[2]), "40 units are unread"
    assert window.acknowledge(numbers[3])
    assert not window.closed


@pytest.mark.parametrize("number", [None, "1", 1.5, 2, -1, []])
def test_send_window_ignores_numbers_that_were_not_sent(clock, number):
    window = make_window()
    window.sent(100)
    assert not window.acknowledge(number)
    assert window.closed


def test_send_window_with_own_numbers_counts_messages(clock):
    window = make_window(max_unread=3, resume_below=3, ack_every=1)
    assert [window.sent(number=number) for number in (7, 7, 9)] == [7, 7, 9]
    assert window.closed
    assert window.acknowledge(7)


def test_send_window_is_overdue_only_when_closed_and_without_answer_for_timeout(clock):
    window = make_window()
    window.sent(90)
    clock[0] = 60.0
    assert not window.is_overdue
    window.sent(10)
    assert window.is_overdue
    window.acknowledge(1)
    window.sent(100)
    clock[0] += 5.0
    assert not window.is_overdue
    clock[0] += 0.1
    assert window.is_overdue


class Socket:
    def __init__(self, session_key, *, is_overdue=False, error=None):
        self.session_key, self.is_overdue, self.error = session_key, is_overdue, error
        self.closed_with = []

    async def close(self, code):
        assert type(code) is int, "servers refuse subclasses"
        if self.error:
            raise self.error
        self.closed_with.append(code)


class Watch(SessionWatch[Socket]):
    async def valid_among(self, keys):
        return {key for key in keys if key.startswith("valid")}


async def test_session_watch_closes_ended_sessions_and_slow_clients_only():
    broken = Socket("ended", error=RuntimeError("gone"))
    ended, valid, slow = Socket("ended"), Socket("valid"), Socket("valid-too", is_overdue=True)
    watch = Watch()
    watch.members |= {broken, ended, valid, slow}
    await watch.tick()
    assert ended.closed_with == [CloseCode.SESSION_ENDED] == [4401]
    assert slow.closed_with == [CloseCode.TOO_SLOW] == [4408]
    assert valid.closed_with == []


def test_close_codes_are_plain_integers():
    """Daphne raises for members of an `IntEnum`, and the socket stays open."""
    codes = [value for name, value in vars(CloseCode).items() if name.isupper()]
    assert {type(code) for code in codes} == {int}
