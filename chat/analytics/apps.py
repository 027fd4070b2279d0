from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "chat.analytics"
    label = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        from chat import personal_data
        from queueing.api import monitoring

        from .feedback import export
        from .models import Feedback
        from .pruning import prune
        from .staff_page.costs import roll_up_calls

        personal_data.register(Feedback, export=export)
        monitoring.register_pruning(roll_up_calls)
        monitoring.register_pruning(prune)
