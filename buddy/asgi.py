"""The ASGI application: HTTP requests go to Django, WebSockets to the consumers."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "buddy.settings")
http = get_asgi_application()  # first, because the imports below need Django to be set up

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from chat.accounts.websocket_auth import OriginOrToken  # noqa: E402
from chat.analytics.tracking.privacy import DoNotTrackMiddleware  # noqa: E402
from chat.socket.consumer import ChatConsumer  # noqa: E402
from queueing.dashboard.socket import dashboard  # noqa: E402

sockets = URLRouter(
    [
        path("ws/", AuthMiddlewareStack(ChatConsumer.as_asgi())),
        path("ws/queue", AuthMiddlewareStack(dashboard)),
        re_path("", WebsocketDenier.as_asgi()),
    ]
)

application = DoNotTrackMiddleware(ProtocolTypeRouter({"http": http, "websocket": OriginOrToken(sockets)}))
