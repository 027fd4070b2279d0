from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "chat.analytics"
    label = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        from chat import personal_data
        from queueing.api import monitoring

        from .costs import roll_up_calls
        from .feedback import export
        from .models import Feedback
        from .pruning import prune

        personal_data.register(Feedback, export=export)
        monitoring.register_pruning(roll_up_calls)
        monitoring.register_pruning(prune)
