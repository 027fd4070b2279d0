from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "chat.documents"
    label = "documents"
    verbose_name = "Documents"

    def ready(self) -> None:
        from queueing.record import pruning

        from .services import sweep

        pruning.steps.append(sweep)
