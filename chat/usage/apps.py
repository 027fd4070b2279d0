from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "chat.usage"
    label = "usage"
    verbose_name = "Usage and budgets"

    def ready(self) -> None:
        from chat import personal_data as owned
        from queueing.api import monitoring

        from . import budgets, checks, metrics  # noqa: F401  (registers the system checks)
        from . import personal_data as belongings
        from .models import Day, Reservation, Usage

        owned.register(Usage, export=belongings.usage)
        owned.register(Day, export=belongings.day, move=belongings.move_days)
        owned.register(Reservation)
        monitoring.register_pruning(budgets.sweep)
        monitoring.register_metrics(metrics.metrics)
