"""System checks of the HTTP settings: `manage.py check` and every start run them."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from chat.upstream.checks import is_http_url


@register()
def check_client_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a CLIENT_URL that is not scheme and host: it decides about HTTPS and which origins may post."""
    url = settings.CLIENT_URL
    if not url and settings.EMAIL_HOST:
        return [
            Warning(
                "EMAIL_HOST is set, but CLIENT_URL is empty: passwords cannot be reset by e-mail.",
                hint="Set CLIENT_URL to the address of the site: links in e-mails begin with it.",
                id="chat.W013",
            )
        ]
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
