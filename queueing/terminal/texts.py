"""The sentences of the terminal's screen."""

KEYS = {
    "queues": "p pause  r resume  t retry  D drain  C clean  f failed  a active  ? help  q quit",
    "failures": "t retry all jobs of the group  escape back  ? help  q quit",
    "jobs": "X cancel  escape back  ? help  q quit",
    "help": "escape back  q quit",
}
HELP = """
  up/down, k/j   select a row
  p  r           pause, resume the selected queue; active jobs finish
  t              retry the selected group of failures, or the queue's newest failed job
  f              failures, grouped by cause
  a              active jobs
  q, Ctrl-C      quit

Actions with a capital letter cannot be undone. They ask first.

  D              drain: cancel all waiting and delayed jobs of the selected queue
  C              clean: remove all failed jobs of the selected queue
  X              cancel the selected active job

All actions are in the audit log under your name, as those of the dashboard.
"""
NOT_CONFIRMED = "Nothing was changed."
BUSY = "The previous action is still running."
RUNNING = "Running ..."
LOADING = "Loading ..."
NO_FAILURES = "No failed jobs."
NO_ACTIVE_JOBS = "No active jobs."


def not_done(reason: str) -> str:
    """Return the sentence about an action that failed."""
    return f"Not done: {reason}"


def database_unavailable(exc: Exception) -> str:
    """Return the reason when the database is unavailable."""
    return f"the database is unavailable ({type(exc).__name__})"


def no_failed_job(queue: str) -> str:
    """Return the reason when a queue has no failed job to retry."""
    return f"{queue} has no failed jobs"


def poll_failed(exc: Exception, *, database: bool) -> str:
    """Return the warning when the figures could not be read."""
    cause = "The database is unavailable" if database else "Reading the queues failed"
    return f"{cause} ({type(exc).__name__}). Trying again."
