"""What the OpenID provider says about a person, and the proof that the provider says it."""

from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from requests import RequestException

#: What allauth and PyJWT raise for a provider that does not answer, or not as the standard says.
FAILURES = (
    RequestException,
    OAuth2Error,
    jwt.PyJWTError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)
#: The key of a session for the value that an identity token for it must have.
NONCE = "oidc_nonce"
#: Seconds by which the clock of the provider may be wrong.
_LEEWAY = 60


class SettingsProvider(OpenIDConnectOAuth2Adapter):
    """The provider of the settings: it must call itself by the same address, and sign what it says."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return what the provider says about itself. Raise `OAuth2Error` if it says to be another."""
        config = super().openid_config
        if str(config["issuer"]).rstrip("/") != settings.OIDC_URL.rstrip("/"):
            raise OAuth2Error(f"OIDC_URL is {settings.OIDC_URL}, but its issuer is {config['issuer']}")
        return dict(config)

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        """Return who has signed in: the person of the identity token. Raise one of `FAILURES` without one."""
        signed = self._decode_id_token(app, kwargs["response"]["id_token"])
        if signed["nonce"] != request.session.pop(NONCE, None):
            raise OAuth2Error("the identity token was made for another session")
        said = self._fetch_user_info(token.token)
        if said["sub"] != signed["sub"]:
            raise OAuth2Error("the identity token is of another person than the profile")
        data = {"userinfo": said, "id_token": signed}
        return self.get_provider().sociallogin_from_response(request, data)

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        """Return the claims of a token with a valid signature. allauth checks none that came over TLS."""
        config = self.openid_config
        with get_adapter().get_requests_session() as session:
            keys = jwt.PyJWKSet.from_dict(session.get(config["jwks_uri"]).json())
        key = keys[jwt.get_unverified_header(id_token)["kid"]]
        if key.key_type == "oct":
            raise OAuth2Error("a key that is no secret signs nothing")
        return jwt.decode(
            id_token,
            key,
            algorithms=[key.algorithm_name],
            issuer=config["issuer"],
            audience=app.client_id,
            leeway=_LEEWAY,
            options={"require": ["iss", "aud", "exp", "iat", "sub"]},
        )
