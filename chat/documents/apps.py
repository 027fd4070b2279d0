from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "chat.documents"
    label = "documents"
    verbose_name = "Documents"

    def ready(self) -> None:
        from queueing.api import monitoring

        from .services import sweep

        monitoring.register_pruning(sweep)
