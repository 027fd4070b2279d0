"""Settings of accounts: e-mail, signing in with django-allauth, and the second factor of staff."""

from typing import Any

from .environment import env
from .origins import HTTPS, SITE_URL

EMAIL_HOST = env.str("EMAIL_HOST", default="")
EMAIL_PORT = env.int("EMAIL_PORT", default=587, at_least=1, at_most=65_535)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="buddy@localhost")
#: With a mail server, accounts have verified e-mail addresses. Links in e-mails need SITE_URL.
SENDS_MAIL = bool(EMAIL_HOST and SITE_URL)

#: Who may create an account: all people, those with an invitation, those whom OIDC_URL signs in, or none.
SIGN_UP = env.str("SIGN_UP", default="open", one_of=("open", "invited", "oidc", "closed"))
#: The domains of the e-mail addresses with which accounts may be created. Empty: all.
SIGN_UP_DOMAINS = env.list("SIGN_UP_DOMAINS", default=[])
#: True: the chat is for users only. Visitors are led to the page to sign in.
REQUIRE_SIGN_IN = env.bool("REQUIRE_SIGN_IN", default=False)
#: A text of the operator that all pages show.
BANNER = env.str("BANNER", default="")

# No rule asks for kinds of characters: what is long and not known may be digits alone.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
] + [{"NAME": "chat.accounts.signing_in.site_words.SiteWords"}]
# The first backend only counts. The hashers are Django's: they count where a form compares a password itself.
AUTHENTICATION_BACKENDS = [
    "chat.accounts.access.tries.passwords.CountTries",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    f"chat.accounts.access.tries.passwords.{name}PasswordHasher"
    for name in ("PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "Scrypt")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"
#: Seconds for which the link to reset a password is valid.
PASSWORD_RESET_TIMEOUT = 60 * 60


def by_mail(sends_mail: bool) -> dict[str, Any]:
    """Return the settings of allauth that differ between a site that can send e-mail and one that cannot."""
    return {
        "ACCOUNT_SIGNUP_FIELDS": ["email*" if sends_mail else "username*", "password1*", "password2*"],
        "ACCOUNT_EMAIL_VERIFICATION": "mandatory" if sends_mail else "none",
        "ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED": sends_mail,
        "ACCOUNT_EMAIL_NOTIFICATIONS": sends_mail,
    }


globals().update(by_mail(SENDS_MAIL))
ACCOUNT_ADAPTER = "chat.accounts.signing_in.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
#: Seconds for which a code in an e-mail is valid.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_REAUTHENTICATION_METHODS = ("password", "mfa")
ACCOUNT_REAUTHENTICATION_REQUIRED = True
#: Seconds for which a password or a code counts as a proof for what is dangerous (docs/accounts.md).
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = True
# allauth counts in Django's cache, which is of one process. `access/tries/` counts instead.
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False

MFA_ADAPTER = "chat.accounts.signing_in.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
#: A passkey asks for its PIN or biometrics, so it is two factors by itself.
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = "Buddy Companion"
#: Half minutes by which the clock of an authenticator app may be wrong. With 0 a code lasts 30 seconds.
MFA_TOTP_TOLERANCE = env.int("APP_CODE_TOLERANCE", default=1, at_least=0, at_most=1)
# An account without an address can have a second factor as well: sign-up with one verifies it first.
MFA_ALLOW_UNVERIFIED_EMAIL = True
#: Staff need a second factor for the administration. Default: where the site is public.
STAFF_SECOND_FACTOR = env.bool("STAFF_SECOND_FACTOR", default=HTTPS)
#: Seconds after which they show it once more, as NIST SP 800-63B asks of a session with two factors.
STAFF_SECOND_FACTOR_SECONDS = 24 * 60 * 60

#: An OpenID provider with which people can sign in: the address before /.well-known/, and our name there.
OIDC_URL = env.str("OIDC_URL", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
#: What the button says after “Sign in with”.
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")


def by_provider(url: str, client_id: str, secret: str, name: str) -> dict[str, Any]:
    """Return allauth's settings of the OpenID provider; none without a URL."""
    app = {"provider_id": "sso", "name": name, "client_id": client_id, "secret": secret}
    apps = [app | {"settings": {"server_url": url.rstrip("/")}}] if url else []
    return {"openid_connect": {"APPS": apps, "OAUTH_PKCE_ENABLED": True}}


SOCIALACCOUNT_PROVIDERS = by_provider(OIDC_URL, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_NAME)
SOCIALACCOUNT_ADAPTER = "chat.accounts.signing_in.oidc.OpenIDAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
