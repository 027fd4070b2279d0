from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "chat.uploads"
    label = "uploads"
    verbose_name = "Uploads"

    def ready(self) -> None:
        from chat import personal_data
        from queueing.api import monitoring

        from .models import Upload
        from .storage import sweep

        personal_data.register(Upload)
        monitoring.register_pruning(sweep)
