"""The job that sends an e-mail. It runs in `manage.py qcluster`."""

from queueing.api import JobContext, job

from . import mail


@job("account.mail", queue="mail", topic="account", on_end=mail.forget)
def send(ctx: JobContext, *, mail_id: int) -> None:
    """Send the mail. It is as well sent twice as not at all: a worker can die after the server took it."""
    mail.deliver(mail_id)
