from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    name = "chat.analytics"
    label = "analytics"
    verbose_name = "Analytics"

    def ready(self) -> None:
        from chat import personal_data
        from queueing.record import pruning

        from .costs import sum_up_calls
        from .feedback import export
        from .models import Feedback
        from .pruning import prune

        personal_data.register(Feedback, export=export)
        pruning.steps += [sum_up_calls, prune]
