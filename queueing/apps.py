"""Start-up: find the kinds of job, register the system checks."""

from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import autodiscover_modules, import_string

from .conf import DJANGO_Q_BROKER


class QueueingConfig(AppConfig):
    """The queue engine. It stands before `django_q` in INSTALLED_APPS, which reads `Q_CLUSTER` at import."""

    name = "queueing"
    default_auto_field = "django.db.models.BigAutoField"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        _complete_q_cluster()

    def ready(self) -> None:
        """Import every installed app's `jobs` module, which registers its kinds. Guard Django-Q2's tasks.

        The `tasks` modules, too, where the setting `TASKS` names our backend: workers need them in any case.
        """
        if not apps.is_installed("django_q"):
            hint = "Add it after 'queueing': its supervisor, schedules and admin pages are used."
            raise ImproperlyConfigured(f"INSTALLED_APPS has 'queueing' without 'django_q'. {hint}")
        from . import checks  # noqa: F401 (registers itself)
        from .monitoring.health import register_health_check
        from .record import django_q_tasks, pruning
        from .recurring import checks as recurring_checks  # noqa: F401 (registers itself)
        from .recurring import history
        from .recurring.health import recurring_warnings

        django_q_tasks.install()
        pruning.register_pruning(history.prune)
        register_health_check(recurring_warnings)
        autodiscover_modules("jobs")
        if _is_backend_of_tasks():
            autodiscover_modules("tasks")


def _complete_q_cluster() -> None:
    """Give Django-Q2 what a project need not write: the engine's broker, and two times that it compares."""
    given = getattr(settings, "Q_CLUSTER", {})
    timeout = given.get("timeout") or 300
    settings.Q_CLUSTER = {"broker_class": DJANGO_Q_BROKER, "timeout": timeout, "retry": timeout + 60} | given


def _is_backend_of_tasks() -> bool:
    """Return whether a backend in the setting `TASKS` is ours. Only then `queueing.tasks` is imported."""
    for params in getattr(settings, "TASKS", {}).values():
        backend = import_string(params["BACKEND"])
        if any(base.__module__ == "queueing.tasks.backend" for base in backend.__mro__):
            return True
    return False
