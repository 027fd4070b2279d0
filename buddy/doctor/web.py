"""The site from outside: pages and a WebSocket through the public address, with the proxy in between."""

import asyncio
import json
import os
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp
from django.conf import settings

from .findings import OK, PROBLEM, WARNING, Finding, one_line

ADVICE = "Start the web processes and the proxy in front, and look at its log. docs/troubleshooting.md"
_SOCKET_ADVICE = (
    "Let the proxy forward Upgrade and Connection for /ws/ (deploy/nginx, docs/troubleshooting.md)."
)
_TIMEOUT = aiohttp.ClientTimeout(total=10)


def examine() -> Iterator[Finding]:
    """Yield whether pages and sockets work at SITE_URL, or at the address of `make run` without one."""
    port = os.environ.get("PORT") or "8000"
    address = (settings.SITE_URL or f"http://127.0.0.1:{port}").rstrip("/")
    yield from asyncio.run(_examine(address))


async def _examine(address: str) -> list[Finding]:
    async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
        found = [await _page(session, address)]
        if found[0].level != PROBLEM:
            found += [await _ready(session, address), await _socket(session, address)]
        return found


async def _page(session: aiohttp.ClientSession, address: str) -> Finding:
    """Return whether the start page is served, with what is usually the reason if not."""
    try:
        async with session.get(f"{address}/", allow_redirects=False) as answer:
            body = await answer.text()
            status, location = answer.status, answer.headers.get("Location", "")
    except aiohttp.ClientConnectorCertificateError as exc:
        advice = "Renew the certificate, and let the proxy send the whole chain."
        return Finding(PROBLEM, one_line(f"{address}: {exc.certificate_error}"), advice)
    except (aiohttp.ClientError, TimeoutError, ssl.SSLError) as exc:
        advice = (
            ADVICE if settings.SITE_URL else "Is a web process running? Set CLIENT_URL to the public address."
        )
        return Finding(PROBLEM, one_line(f"{address} does not answer: {exc or 'no answer in time'}"), advice)
    if status == 200 and "/static/chat/" in body:
        return Finding(OK, f"{address} serves the page")
    if status == 400:
        host = urlsplit(address).hostname
        return Finding(PROBLEM, f"{address} refuses its own name (400)", f"Add {host} to ALLOWED_HOSTS.")
    if status in (301, 302, 307, 308) and location.startswith("https://"):
        return Finding(PROBLEM, f"{address} redirects to {one_line(location)}", _redirect_advice(address))
    if status in (502, 504):
        return Finding(PROBLEM, f"the proxy at {address} reaches no web process ({status})", ADVICE)
    return Finding(PROBLEM, f"{address} answers {status} without the page of the chat", ADVICE)


def _redirect_advice(address: str) -> str:
    if address.startswith("https://"):
        return "Let the proxy send X-Forwarded-Proto: https. Without it each page redirects to itself."
    return "Write https:// in CLIENT_URL."


async def _ready(session: aiohttp.ClientSession, address: str) -> Finding:
    """Return what /readyz says: the web process asks its own services."""
    async with session.get(f"{address}/readyz") as answer:
        text = await answer.text()
    try:
        checks = json.loads(text)["checks"]
    except (ValueError, LookupError, TypeError):
        return Finding(
            WARNING, f"/readyz is not forwarded ({answer.status})", "Load balancers and probes use it."
        )
    if answer.status == 200:
        return Finding(OK, "the web process has all its services (/readyz)")
    text = ", ".join(f"{name}: {state}" for name, state in checks.items() if state not in ("ok",))
    return Finding(PROBLEM, one_line(f"the web process is not ready: {text}"), "Correct what it names.")


async def _socket(session: aiohttp.ClientSession, address: str) -> Finding:
    """Return whether a WebSocket opens as a browser opens it, and its first message arrives."""
    url = f"ws{address.removeprefix('http')}/ws/"
    try:
        async with session.ws_connect(url, origin=address) as socket:
            first = await socket.receive_json(timeout=5)
    except aiohttp.WSServerHandshakeError as exc:
        if exc.status == 403:
            advice = "CLIENT_URL must be the address in the browser, and the proxy must forward Host."
            return Finding(PROBLEM, f"{url} refuses the origin {address} (403)", advice)
        return Finding(PROBLEM, f"{url} is not upgraded to a WebSocket ({exc.status})", _SOCKET_ADVICE)
    except (aiohttp.ClientError, TimeoutError, TypeError, ValueError) as exc:
        text = f"{url} opens, but its first message does not arrive ({type(exc).__name__})"
        return Finding(
            PROBLEM, text, "Turn off buffering in the proxy. Redis must be reachable for the web process."
        )
    if first.get("type") != "hello":
        return Finding(PROBLEM, f"{url} is answered by another program", _SOCKET_ADVICE)
    return Finding(OK, f"{url} opens")
