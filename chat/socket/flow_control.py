"""Limits of one socket: how many messages a client may send, and how much it may leave unread."""

import time

from queueing.api.sockets import SendWindow

#: Messages at once, and per second from then on.
MESSAGE_BURST, MESSAGE_RATE = 20.0, 5.0
#: The cost of a message, where it is not 1. A tab that reconnects watches all its jobs at once.
COSTS = {"ping": 0.25, "pong": 0.05, "job:watch": 0.25, "job:render": 0.05}
#: Refused frames at once, and per second from then on, before the socket is closed.
ERROR_BURST, ERROR_REFILL_RATE = 20.0, 0.2

#: Bytes between two pings that ask how far the client has read.
PING_EVERY = 64 * 1024
#: Unread bytes at which sending stops, and below which it resumes.
MAX_UNREAD = 512 * 1024
RESUME_BELOW = 128 * 1024
#: Seconds a client may take to read before its socket is closed.
READ_TIMEOUT = 30.0


class TokenBucket:
    """A bucket of `burst` tokens, refilled with `rate` tokens a second."""

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._at = burst, time.monotonic()

    def take(self, cost: float = 1.0) -> bool:
        """Take `cost` tokens and return True; return False and take nothing when there are not enough."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < cost:
            return False
        self._left -= cost
        return True

    def wait(self, cost: float = 1.0) -> float:
        """Return the seconds until there are `cost` tokens."""
        return max(0.0, (cost - self._left) / self._rate)


def message_limit() -> TokenBucket:
    """Return a socket's limit to the messages of its client."""
    return TokenBucket(MESSAGE_BURST, MESSAGE_RATE)


def message_cost(message_type: str) -> float:
    """Return how many tokens of the message limit a message takes."""
    return COSTS.get(message_type, 1.0)


def error_limit() -> TokenBucket:
    """Return a socket's limit to frames that no well-made client sends."""
    return TokenBucket(ERROR_BURST, ERROR_REFILL_RATE)


def send_window() -> SendWindow:
    """Return a socket's limit to unread data: a `ping` asks how far the client has read."""
    return SendWindow(
        max_unread=MAX_UNREAD, resume_below=RESUME_BELOW, ack_every=PING_EVERY, timeout=READ_TIMEOUT
    )
