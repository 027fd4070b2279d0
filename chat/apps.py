from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from queueing.api import Job, RecurringJob, monitoring, rename_owner

        from . import personal_data
        from .accounts.access.open_sockets import close_after_logout
        from .conversations.threads import erase_threads, merge_names
        from .http import checks as http_checks  # noqa: F401  (registers the system checks)
        from .limits import checks as limit_checks  # noqa: F401
        from .limits import disk
        from .models import Thread, ThreadName
        from .replies.thoughts import erase_jobs
        from .upstream import checks  # noqa: F401  (registers the system checks)
        from .upstream.health import provider_warnings

        user_logged_out.connect(close_after_logout)
        # In this order: a worker that ends a job writes its reply's thread while it holds the job.
        # Erased in this order: after the end of the jobs nothing is stored that the next entry would miss.
        personal_data.register(
            RecurringJob, export=lambda row: {"name": row.name, "cron": row.cron, "every": row.every}
        )
        personal_data.register(Job, merge=rename_owner, erase=erase_jobs)
        personal_data.register(Thread, erase=erase_threads)
        personal_data.register(
            ThreadName,
            merge=merge_names,
            export=lambda row: {"name": row.name, "thread": row.thread_id.hex},
        )
        monitoring.register_health_check(provider_warnings)
        monitoring.register_health_check(disk.warnings)
