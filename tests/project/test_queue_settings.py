"""The queues in the project's settings."""

from queueing.conf import Limiter, get_queue


def test_queues_in_the_settings_have_the_numbers_of_the_design():
    table = {
        "analytics": (1, 5, 1, "none", 0, None, (1000, 500)),
        "openai-chat": (2, 3, 3, "exponential", 2, None, (100, 50)),
        "audio-processing": (3, 2, 2, "exponential", 5, None, (50, 25)),
        "large-requests": (4, 2, 5, "exponential", 10, Limiter(max=2, duration=60), (20, 10)),
    }
    for name, numbers in table.items():
        q = get_queue(name)
        backoff = q.backoff
        found = (q.priority, q.concurrency, q.attempts, backoff.type, backoff.delay, q.limiter, q.keep)
        assert found == numbers, name
