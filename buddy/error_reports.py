"""Reports of unexpected errors to Sentry, or to a server of its protocol: SENTRY_DSN turns them on.

What the log has as an error is reported: the message, the exception and where it was raised. No values of
variables, no bodies, cookies or addresses of requests.
"""

from importlib.util import find_spec

from django.conf import settings


def install() -> None:
    """Report from now on, if it is turned on."""
    if not (settings.SENTRY_DSN and find_spec("sentry_sdk")):
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.SENTRY_DSN,
        release=settings.QUEUEING["VERSION"] or None,
        auto_enabling_integrations=False,  # those of Django, Redis and the model would read what people write
        include_local_variables=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        send_default_pii=False,
        server_name="",
    )
