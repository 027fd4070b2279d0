from django.apps import AppConfig


class ChatConfig(AppConfig):
    name = "chat"
    verbose_name = "Conversations"

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_out

        from . import checks, owned  # noqa: F401  (registers the system checks)
        from .answers.cache import forget
        from .limits import checks as limit_checks  # noqa: F401
        from .sockets import close_after_logout

        user_logged_out.connect(close_after_logout)
        owned.register_elsewhere("answers", erase=forget, move=lambda old, new: forget(old))
