from django.apps import AppConfig


class UsageConfig(AppConfig):
    name = "chat.usage"
    label = "usage"
    verbose_name = "Usage and budgets"

    def ready(self) -> None:
        from chat import personal_data
        from queueing.api import monitoring
        from queueing.api.metrics import register_metrics

        from . import budgets, checks, metrics  # noqa: F401  (registers the system checks)
        from .models import BudgetReservation, DailyUsage, ModelCall
        from .personal_data import export_call, export_day, merge_days

        personal_data.register(ModelCall, export=export_call)
        personal_data.register(DailyUsage, export=export_day, merge=merge_days)
        personal_data.register(BudgetReservation)
        monitoring.register_pruning(budgets.sweep)
        register_metrics(metrics.metrics)
