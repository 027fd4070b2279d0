"""A page of another origin, as a front end of one's own is, in a browser: over the API and the socket."""

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.site import Site, served
from tests.provider.fixture import Provider
from tests.support.valkey import free_port

#: What the page can do: each function returns what came of it.
_SCRIPT = """
window.ask = async (site, body) => {
  const options = {method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'}};
  const response = await fetch(site + '/api/travel', {...options, body: JSON.stringify(body)});
  return [response.status, await response.json()];
};
window.titles = async (site) => {
  const response = await fetch(site + '/api/threads', {credentials: 'include'});
  return (await response.json()).threads.map((thread) => thread.title);
};
window.talk = (site, frame) => new Promise((resolve) => {
  const socket = new WebSocket(site.replace('http', 'ws') + '/ws/');
  const types = [];
  socket.onopen = () => socket.send(JSON.stringify(frame));
  socket.onclose = () => resolve(types);
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.requestId && message.requestId !== frame.requestId) return;
    types.push(message.type);
    if (message.type === 'chat:completed') { types.push(message.response); socket.close(); }
  };
});
window.failed = (call) => call.then(() => false, () => true);
"""


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"<!doctype html><title>A front end</title><script>{_SCRIPT}</script>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def pages() -> Iterator[Callable[[], str]]:
    """Call it for the origin of a new web server, whose every page is the front end."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start() -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), _Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def opened(context: BrowserContext, origin: str) -> Page:
    page = context.new_page()
    page.goto(origin)
    return page


def test_front_end_on_another_origin_talks_with_the_cookies_of_the_site(
    site: Site,
    provider: Provider,
    visitor: Callable[..., BrowserContext],
    pages: Callable[[], str],
    tmp_path: Path,
):
    """The frames are those of the reference design. A page of a third origin gets nothing of the visitor."""
    front_end, stranger = pages(), pages()
    with served(tmp_path, site.environment | {"CLIENT_URL": front_end}, ready="/readyz") as url:
        context = visitor()
        page = opened(context, front_end)
        body = {"messages": [{"role": "user", "content": "From the API"}], "threadId": "thread_123"}
        status, accepted = page.evaluate("([site, body]) => ask(site, body)", [url, body])
        assert status == 202
        frame = body | {
            "type": "chat:message",
            "requestId": "req_123",
            "assistantId": "travel",
            "messages": [{"role": "user", "content": "From the socket"}],
            "userId": "user_123",
        }
        types = page.evaluate("([site, frame]) => talk(site, frame)", [url, frame])
        assert {"hello", "chat:queued", "chat:completed"} <= set(types), types
        assert types[-1], "the answer has words"
        assert page.evaluate("(site) => titles(site)", url) == ["From the API"]
        other = opened(context, stranger)
        assert other.evaluate("(site) => failed(titles(site))", url)
        assert other.evaluate("([site, body]) => failed(ask(site, body))", [url, body])
        assert other.evaluate("([site, frame]) => talk(site, frame)", [url, frame]) == []
        assert page.evaluate("(site) => titles(site)", url) == ["From the API"]
        assert len(accepted["threadId"]) == 32
