from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from queueing.api import Job, erase_owner, monitoring, rename_owner

        from . import personal_data
        from .accounts.access.open_sockets import close_after_logout
        from .answer_cache.store import forget
        from .http import checks as http_checks  # noqa: F401  (registers the system checks)
        from .limits import checks as limit_checks  # noqa: F401
        from .models import Thread
        from .replies.thoughts import forget_owner, merge_owner
        from .upstream import checks  # noqa: F401  (registers the system checks)
        from .upstream.health import provider_warnings

        user_logged_out.connect(close_after_logout)
        # In this order: a worker that ends a job writes its reply's thread while it holds the job.
        personal_data.register(Job, merge=rename_owner, erase=erase_owner)
        personal_data.register(Thread)
        monitoring.register_health_check(provider_warnings)
        personal_data.register_external("answers", erase=forget, merge=lambda old, new: forget(old))
        personal_data.register_external("thoughts", erase=forget_owner, merge=merge_owner)
