"""`manage.py queue_resume QUEUE …`."""

from queueing.control.actions import ACTIONS
from queueing.management.operator import QueuesCommand


class Command(QueuesCommand):
    """Resume queues."""

    action = "resume"
    help = f"Resume paused queues. {ACTIONS[action].consequence}\nA queue that is not paused stays unchanged."
    examples = "  manage.py queue_resume openai-chat"
