"""The peer: a Django project of two bare views without middlewares and an echo, on the same server."""

import os

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

settings.configure(
    SECRET_KEY="only-for-measuring",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [os.environ["BENCH_TEMPLATES"]],
        }
    ],
)
django.setup(set_prefix=False)


async def bare(request: HttpRequest) -> JsonResponse:
    """Answer without doing anything."""
    return JsonResponse({"ok": True})


def page(request: HttpRequest) -> HttpResponse:
    """Render a file of the size of the site's page."""
    return render(request, "page.html")


class Echo(AsyncWebsocketConsumer):
    """A socket that sends each message back."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Send the message back."""
        await self.send(text_data=text_data)


urlpatterns = [path("bare", bare), path("page", page)]
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": Echo.as_asgi()})
