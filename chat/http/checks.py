"""System checks of the HTTP settings: `manage.py check` and every start run them."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from chat.companions.registry import COMPANIONS
from chat.upstream.checks import is_http_url


@register()
def check_client_url(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report addresses that are not scheme and host: they decide about HTTPS and which origins may post."""
    if not settings.SITE_URL and settings.EMAIL_HOST:
        return [
            Warning(
                "EMAIL_HOST is set, but CLIENT_URL is empty: passwords cannot be reset by e-mail.",
                hint="Set CLIENT_URL to the address of the site: links in e-mails begin with it.",
                id="chat.W013",
            )
        ]
    urls = {"CLIENT_URL": settings.CLIENT_URL, "SITE_URL": settings.SITE_URL}
    return [
        Error(
            f"{name} is {url!r}.",
            hint="Write scheme and host as the browser shows them, and nothing after, "
            "such as https://buddy.example.org.",
            id="chat.E004",
        )
        for name, url in urls.items()
        if url and not _is_origin(url)
    ]


def _is_origin(url: str) -> bool:
    parts = urlsplit(url)
    return is_http_url(url) and not (parts.path.strip("/") or parts.query or parts.fragment or parts.username)


@register()
def check_companions(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report companions that lack a part which is in another file (docs/extending.md)."""
    static = Path(__file__).resolve().parents[1] / "static" / "chat"
    sprite, styles = ((static / name).read_text() for name in ("sprite.svg", "css/variables.css"))
    found: list[CheckMessage] = []
    for name in COMPANIONS:
        missing = [
            what
            for what, is_there in {
                "its name in COMPANION_IDS (buddy/settings/companions.py)": name in settings.COMPANION_IDS,
                f"its picture, the symbol mark-{name} in chat/static/chat/sprite.svg": f'"mark-{name}"'
                in sprite,
                "its colours in chat/static/chat/css/variables.css": f'[data-companion="{name}"]' in styles,
            }.items()
            if not is_there
        ]
        if missing:
            hint = "docs/extending.md has all steps."
            found.append(
                Error(f"The companion {name} lacks {' and '.join(missing)}.", hint=hint, id="chat.E016")
            )
    return found


@register()
def check_cross_site_cookies(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report cookies that browsers would refuse."""
    if not settings.CROSS_SITE_COOKIES or settings.HTTPS:
        return []
    return [
        Error(
            "CROSS_SITE_COOKIES is set, but the site is not at https://: browsers refuse such cookies.",
            hint="Set SITE_URL to the https:// address of this server, or remove CROSS_SITE_COOKIES.",
            id="chat.E014",
        )
    ]


def _check_way_to_oidc() -> list[CheckMessage]:
    """Report an OpenID provider without TLS: its tokens are believed because of where they come from."""
    if settings.OIDC_URL.startswith("https://") or not settings.HTTPS:
        return []
    return [
        Warning(
            f"OIDC_URL is {settings.OIDC_URL!r}: on the way from there, others can write who signs in.",
            hint="Use the https:// address of the provider.",
            id="chat.W014",
        )
    ]


@register()
def check_oidc(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report an OpenID provider that cannot be used."""
    url, client_id = settings.OIDC_URL, settings.OIDC_CLIENT_ID
    if not url and settings.SIGN_UP != "oidc":
        return []
    if is_http_url(url) and client_id:
        return _check_way_to_oidc()
    return [
        Error(
            f"OIDC_URL is {url!r}, and OIDC_CLIENT_ID is {client_id!r}: no person can sign in there.",
            hint="Set both: the address of the provider before /.well-known/, and our name there.",
            id="chat.E015",
        )
    ]
