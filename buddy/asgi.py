"""The ASGI application: HTTP requests go to Django, WebSockets to the consumers."""

import gc
import sys

import django

from .start.startup import read_settings

read_settings()
django.setup(set_prefix=False)  # first, because the imports below need it

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from buddy.bounds.asgi import Bounded  # noqa: E402
from chat.accounts.access.middleware.websockets import OriginOrToken  # noqa: E402
from chat.analytics.tracking.privacy import DoNotTrackMiddleware  # noqa: E402
from chat.care import screen  # noqa: E402
from chat.socket.consumer import ChatConsumer  # noqa: E402
from chat.socket.direct_send import Authenticated  # noqa: E402
from queueing.dashboard.socket import dashboard  # noqa: E402

from .web.http_handler import HttpHandler, TidyLoop  # noqa: E402
from .web.web_metrics import Measured  # noqa: E402
from .web.who import LoggedSockets, named  # noqa: E402

sockets = URLRouter(
    [
        path("ws/", Authenticated(named(ChatConsumer.as_asgi()))),
        path("ws/queue", Authenticated(named(dashboard))),
        re_path("", WebsocketDenier.as_asgi()),
    ]
)

protocols = ProtocolTypeRouter({"http": HttpHandler(), "websocket": LoggedSockets(OriginOrToken(sockets))})
application = TidyLoop(Measured(Bounded(DoNotTrackMiddleware(protocols))))

screen("")  # now, and not with the first message, its patterns are compiled
# What is loaded by now is never garbage. Without it, a collection of garbage no longer holds all visitors.
gc.collect()
gc.freeze()
# Almost nothing of a request is in cycles: more often, looking for them took 3 % of the time of a message.
gc.set_threshold(10_000)

if "daphne.server" in sys.modules:  # other servers hand a body over while they receive it
    from buddy.bounds.daphne import factory

    from .web import fast_loop, graceful_stop

    fast_loop.install()
    factory.install()
    graceful_stop.install()
