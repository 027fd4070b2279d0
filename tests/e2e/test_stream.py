"""The browser's way of putting an answer together, against deliveries cut, repeated and lost at random."""

from playwright.sync_api import Page

#: Plays a text through `join` 1,000 times: every delta may be lost, doubled or cut short, and a gap is
#: answered from where the browser stands, as the server answers `job:watch`.
PLAY = """async (text) => {
    const { join, codePoints } = await import("/static/chat/js/state/text-assembly.js");
    const points = [...text];
    const slice = (from, to) => points.slice(from, to).join("");
    const wrong = [];
    for (let round = 0; round < 1000; round += 1) {
        let have = { run: 1, text: "", length: 0 };
        const take = (offset, to) => {
            const { gap, have: next } = join(have, { run: 2, offset, text: slice(offset, to) });
            if (gap) take(gap.offset, to);
            else have = next;
        };
        take(0, Math.floor(Math.random() * 3));
        for (let at = 0; at < points.length; ) {
            const to = Math.min(points.length, at + 1 + Math.floor(Math.random() * 7));
            if (Math.random() > 0.3) take(at, to);
            if (Math.random() > 0.7) take(Math.max(0, at - 3), to);
            at = to;
        }
        take(have.length, points.length);
        join(have, { run: 1, offset: 0, text: "a late loser" });
        if (have.text !== text || have.length !== codePoints(text)) wrong.push(have.text);
    }
    return wrong;
}"""


def test_text_is_the_same_for_every_order_of_deltas(page: Page) -> None:
    assert page.evaluate(PLAY, "Grüße 👩‍🚀 from Kyōto, مرحبا, and 🙂🙂 back again. " * 3) == []
