"""What can go wrong, and who should hear of it.

QueueingError
├── BadSubmission     the caller's arguments are wrong; nothing was stored
│   └── UnknownKind
├── BadValue          an operator's value is wrong; nothing was changed
├── Rejected          the queue cannot take it now; carries when to come back
├── WrongState        the job's state does not allow the move
│   └── NoQueue       nor would any other: its queue is not in the settings
└── JobError          raised by handlers; says what the engine should do next
    ├── Permanent     cannot get better: fail at once
    ├── Retry         may get better: spend an attempt, wait at least `after`
    └── Cooldown      the provider asks everybody to wait: no attempt is spent
"""


class QueueingError(Exception):
    """Base of everything this app raises on purpose."""


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
    """The queue cannot take this job now. Nothing was stored.

    `code` is `queue_full` or `owner_limit`; `retry_after` is in seconds.
    """

    def __init__(self, code: str, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after


class WrongState(QueueingError):
    """The move does not start from the job's present state. Nothing was changed."""

    def __init__(self, verb: str, state: str) -> None:
        super().__init__(f"cannot {verb} a job that is {state}")
        self.verb = verb
        self.state = state


class NoQueue(WrongState):
    """The job's queue has left the settings: it would wait for ever. Nothing was changed."""

    def __init__(self, verb: str, queue: str) -> None:
        super().__init__(verb, f"on {queue}, a queue that is not in the settings")


class JobError(QueueingError):
    """Raised by a handler. `message` is shown to the job's owner, so it must be fit for them.

    `code` is a stable word for grouping failures, for example `no_quota`.
    """

    def __init__(self, message: str, *, code: str = "error") -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Permanent(JobError):
    """Trying again cannot help: a bad request, no quota, a bad key."""


class Retry(JobError):
    """Try again with the queue's backoff, but not sooner than `after` seconds."""

    def __init__(self, message: str, *, code: str = "error", after: float = 0.0) -> None:
        super().__init__(message, code=code)
        self.after = after


class Cooldown(JobError):
    """The provider asked for `after` seconds of quiet: the whole queue waits, no attempt is spent."""

    def __init__(self, message: str, *, code: str = "rate_limited", after: float) -> None:
        super().__init__(message, code=code)
        self.after = after
