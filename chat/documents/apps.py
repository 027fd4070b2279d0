from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "chat.documents"
    label = "documents"
    verbose_name = "Documents"

    def ready(self) -> None:
        from queueing.record import pruning as retention

        from .services import sweep

        retention.steps.append(sweep)
