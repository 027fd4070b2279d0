"""The main journey in Firefox, the second browser of `make test-all`.

Playwright drives a Firefox of its own build, which no registry of packages has. Its BiDi channel needs what
Firefox ESR does not have. So this test drives the system's Firefox by Mozilla's Marionette.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.pictures.faults import MEASURE
from tests.e2e.site import Site
from tests.provider.fixture import Provider
from tests.support.valkey import wait_until

pytestmark = pytest.mark.slow
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
ANSWER = "# Lisbon\n\nTwo **slow** days.\n\n| day | where |\n|---|---|\n| 1 | Alfama |\n"
ENTER = "\ue007"


class Firefox:
    """A page in Firefox, read and used by selectors."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def text(self, selector: str) -> str:
        """Return the text of the last element, or nothing."""
        script = "return [...document.querySelectorAll(arguments[0])].at(-1)?.textContent ?? ''"
        return str(self.driver.execute_script(script, [selector]))

    def shows(self, selector: str, words: str) -> None:
        """Wait until the last element has these words."""
        wait_until(lambda: words in self.text(selector), f"{words!r} in {selector}", 20)

    def say(self, words: str) -> None:
        """Write a message and press Enter."""
        self.driver.find_element("css selector", "#message").send_keys(words + ENTER)

    def faults(self) -> list[Any]:
        """Return what is wrong with the looks of the page."""
        return list(self.driver.execute_script(f"return ({MEASURE})()"))

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Firefox]:
    """The system's Firefox, with a new profile."""
    if FIREFOX is None:
        pytest.skip("Firefox is not installed (Debian: apt-get install firefox-esr)")
    marionette = pytest.importorskip(
        "marionette_driver.marionette", reason="marionette-driver is not installed"
    )
    driver = marionette.Marionette(bin=FIREFOX, headless=True, gecko_log=str(tmp_path / "gecko.log"))
    driver.start_session()
    driver.timeout.implicit = 10
    yield Firefox(driver)
    driver.cleanup()


def test_question_is_answered_kept_found_and_shown_in_whole_words_in_firefox(
    firefox: Firefox, site: Site, provider: Provider
) -> None:
    firefox.driver.navigate(site.url)
    firefox.click("input[value=travel]")
    firefox.shows("#header-name", "Travel")
    assert firefox.faults() == []
    provider.script(text=ANSWER, pause_after=4, until="it was seen")
    firefox.say("Two days in Lisbon?")
    firefox.shows(".message--reply .message__text strong", "slow")
    provider.release("it was seen")
    firefox.shows(".message--reply[data-status=completed] td", "Alfama")
    assert firefox.faults() == []

    firefox.driver.refresh()
    firefox.shows(".message--mine .message__text", "Two days in Lisbon?")
    firefox.shows(".message--reply[data-status=completed] h1, .message--reply h2", "Lisbon")
    firefox.driver.find_element("css selector", "#find").send_keys("alfama")
    firefox.shows(".thread__snippet", "Alfama")

    provider.script(text="One word after the other. " * 100, delay=0.05)
    firefox.say("Talk for long.")
    firefox.shows(".message--reply[data-status=active] .message__text", "One word")
    firefox.click("#stop")
    firefox.shows(".message--reply .state", "Stopped here.")
    firefox.driver.navigate(f"{site.url}/account/sign-up/")
    assert firefox.faults() == []
