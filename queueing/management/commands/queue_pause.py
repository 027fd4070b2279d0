"""`manage.py queue_pause QUEUE …`."""

from queueing.control.actions import ACTIONS
from queueing.management.operator import QueuesCommand


class Command(QueuesCommand):
    """Pause queues."""

    action = "pause"
    help = (
        f"Pause queues. {ACTIONS[action].consequence}\n"
        "The pause is stored in the database: it survives restarts, deployments and the loss of Redis,\n"
        "until queue_resume."
    )
    examples = (
        "  manage.py queue_pause openai-chat --note 'the provider has an outage'\n"
        "  manage.py queue_pause openai-chat large-requests background"
    )
