from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "buddy.alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from queueing.api.monitoring import register_pruning

        from . import checks  # noqa: F401
        from .record import prune

        register_pruning(prune)
