"""Start-up: find the kinds of job, register the system checks."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class QueueingConfig(AppConfig):
    """The queue engine; it can be moved into another project (docs/engine.md)."""

    name = "queueing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Import every installed app's `jobs` module, which registers its kinds. Guard Django-Q2's tasks."""
        from . import checks  # noqa: F401 (registers itself)
        from .record import django_q_tasks

        django_q_tasks.install()
        autodiscover_modules("jobs")
