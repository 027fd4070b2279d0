"""Looks: how a visitor may see a page: width, size of the text, colours."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

HEIGHTS = {320: 640, 390: 844, 768: 1024, 1280: 800}
#: What Chromium sets without a choice of the visitor, in pixels.
STANDARD, FIXED = 16, 13

#: The window is so wide, in sizes of its text. Both come to the page in their own time.
HAS_WIDTH = "em => matchMedia(`(min-width: ${em - 0.01}em) and (max-width: ${em + 0.01}em)`).matches"


@dataclass(frozen=True)
class Look:
    """A width in pixels, the browser's font size in per cent, and colours."""

    width: int
    text: int = 100
    theme: Any = "light"
    forced: bool = False
    """Forced colours, as high contrast of Windows; and reduced motion."""

    def __str__(self) -> str:
        return f"{self.width}-{self.text}-{'forced' if self.forced else self.theme}"


EVERY = [
    Look(width, text, theme) for width in HEIGHTS for text in (100, 150, 200) for theme in ("light", "dark")
]
#: 400 % of the text on a desk is as wide as a narrow phone. On such a phone, only few words fit.
EVERY += [Look(1280, 400), Look(320, 400), Look(390, forced=True), Look(1280, forced=True, theme="dark")]


class Wardrobe:
    """Gives one page any look, one after the other."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._line: CDPSession = page.context.new_cdp_session(page)

    def wear(self, look: Look, height: int = 0) -> None:
        """Show the page with that look, in a window of that height or that of the usual device."""
        self.page.emulate_media(
            color_scheme=look.theme,
            forced_colors="active" if look.forced else "none",
            reduced_motion="reduce",  # no picture in the middle of a movement
        )
        self.page.set_viewport_size({"width": look.width, "height": height or HEIGHTS[look.width]})
        sizes = {"standard": STANDARD * look.text // 100, "fixed": FIXED * look.text // 100}
        self._line.send("Page.setFontSizes", {"fontSizes": sizes})
        self.page.wait_for_function(HAS_WIDTH, arg=look.width / sizes["standard"])
        self.page.evaluate("dispatchEvent(new Event('resize'))")  # as when a browser changes the size of text
        self.page.evaluate(
            "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
