"""System checks of the HTTP settings: `manage.py check` and every start run them."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from chat.upstream.checks import is_http_url


@register()
def check_client_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a CLIENT_URL that is not scheme and host: it decides about HTTPS and which origins may post."""
    url = settings.CLIENT_URL
    if not url or (is_http_url(url) and not urlsplit(url).path.strip("/")):
        return []
    return [
        Error(
            f"CLIENT_URL is {url!r}.",
            hint="Write scheme and host as the browser shows them, and nothing after, "
            "such as https://buddy.example.org.",
            id="chat.E004",
        )
    ]
