from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "chat.uploads"
    label = "uploads"
    verbose_name = "Uploads"

    def ready(self) -> None:
        from chat import owned
        from queueing import retention

        from .models import Upload
        from .storage import sweep

        owned.register(Upload)
        retention.steps.append(sweep)
