"""The dashboard's socket."""

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

from queueing.dashboard.socket import dashboard

application = ProtocolTypeRouter(
    {
        "http": get_asgi_application(),
        "websocket": URLRouter([path("ws/queue", AuthMiddlewareStack(dashboard))]),
    }
)
