"""What every page of the site may show."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from chat.accounts.signing_in import oidc


def context(request: HttpRequest) -> dict[str, Any]:
    """Return the variables of the site for templates."""
    return {
        "site_banner": settings.BANNER,
        "may_sign_up": settings.SIGN_UP in ("open", "invited"),
        "provider": {"name": settings.OIDC_NAME, "url": oidc.login_url()},
    }
