"""The peer: a Django project of three bare views without middlewares, on the same server."""

import os

import django
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


urlpatterns = [path("bare", bare), path("page", page)]
application = get_asgi_application()
