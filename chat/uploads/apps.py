from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "chat.uploads"
    label = "uploads"
    verbose_name = "Uploads"

    def ready(self) -> None:
        from chat import personal_data
        from queueing.record import pruning

        from .models import Upload
        from .storage import sweep

        personal_data.register(Upload)
        pruning.steps.append(sweep)
