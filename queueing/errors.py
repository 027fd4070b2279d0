"""The engine's exceptions, and how the engine reacts to those of handlers.

QueueingError
├── BadSubmission     the caller's arguments are wrong; nothing was stored
│   └── UnknownKind
├── BadValue          an operator's value is wrong; nothing was changed
├── Rejected          the queue cannot accept it now; carries when to try again
├── WrongState        the job's state does not allow the action
│   ├── Duplicate     another job has its unique key
│   └── NoQueue       no state would: its queue is not in the settings
└── JobError          raised by handlers; tells the engine what to do next
    ├── Permanent     trying again cannot help: fail at once
    ├── Retry         trying again may help: spend an attempt, wait at least `after` seconds
    │   └── Outage    the provider does not answer: its jobs wait, no attempt is spent
    └── Cooldown      the provider asks all callers to wait: no attempt is spent
"""


class QueueingError(Exception):
    """The base of all exceptions that the engine raises on purpose."""


class BadSubmission(QueueingError, ValueError):
    """The submission is wrong in the named field. Nothing was stored."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class UnknownKind(BadSubmission):
    """No handler is registered under this name."""


class BadValue(QueueingError, ValueError):
    """The value of the named field is wrong. Nothing was changed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class Rejected(QueueingError):
    """The queue cannot accept this job now. Nothing was stored.

    `code` is `queue_full` or `owner_limit`; `retry_after` is in seconds.
    """

    def __init__(self, code: str, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class WrongState(QueueingError):
    """The job's present state does not allow the action. Nothing was changed."""

    def __init__(self, verb: str, state: str) -> None:
        super().__init__(f"cannot {verb} a job that is {state}")
        self.verb = verb
        self.state = state


class Duplicate(WrongState):
    """Another job has the unique key of the job. Nothing was changed."""

    def __init__(self, verb: str) -> None:
        super().__init__(verb, "unique, while another one has its key")


class NoQueue(WrongState):
    """The job's queue is no longer in the settings: no worker would run it. Nothing was changed."""

    def __init__(self, verb: str, queue: str) -> None:
        super().__init__(verb, f"on {queue}, a queue that is not in the settings")


class JobError(QueueingError):
    """An error raised by a handler. The job's owner reads `message`, so it must be a plain sentence.

    `code` is a stable word by which failures are grouped, for example `no_quota`.
    """

    def __init__(self, message: str, *, code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Permanent(JobError):
    """An error that trying again cannot fix: a bad request, no quota, a bad key."""


class Retry(JobError):
    """An error that may pass: try again with the queue's backoff, at least `after` seconds later."""

    def __init__(self, message: str, *, code: str = "error", after: float = 0.0) -> None:
        super().__init__(message, code=code)
        self.after = after


class Outage(Retry):
    """The provider does not answer. Its failures are counted together, and decide what happens to the job.

    While it fails, all its queues wait, one job at a time tries it, and no attempt is spent. When others are
    answered, the failure is the job's own, as with `Retry`. `certain` is False for a failure that the job
    itself may have caused, such as an internal error: alone it spends an attempt.
    """

    def __init__(
        self, message: str, *, code: str = "outage", after: float = 0.0, certain: bool = True
    ) -> None:
        super().__init__(message, code=code, after=after)
        self.certain = certain


class Cooldown(JobError):
    """A provider's request to wait `after` seconds: all its queues wait, no attempt is spent.

    A job that alone gets it again and again, while others are answered, spends attempts, as with `Retry`.
    """

    def __init__(self, message: str, *, code: str = "rate_limited", after: float) -> None:
        super().__init__(message, code=code)
        self.after = after
