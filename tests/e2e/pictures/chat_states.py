"""The states of the chat's page. Each function yields a name and the page, once for each state."""

import re
from collections.abc import Iterator

from playwright.sync_api import Page, expect

from tests.e2e.pictures.stage import Stage
from tests.e2e.reading import answers, choose, edit, questions, say, text_of
from tests.e2e.test_limits import HANDS_ON
from tests.e2e.test_long_conversation import SEED

State = tuple[str, Page]
COMPANIONS = ("Corporate", "Travel", "Emotional", "Culture")
QUESTION = (
    "I have three days in Lisbon in May. What should I not miss, and what about the Nationalbibliothek?"
)
ANSWER = """\
# Three days in Lisbon

Three days suit Lisbon well if you stay in **two neighbourhoods** a day. See <https://www.example.com/a/very/long/address/\
that/does/not/end/soon?and=has&many=parameters> and [the tile museum](https://www.museudoazulejo.gov.pt/).

| day | morning | afternoon | costs |
|---|---|---|---|
| 1 | Alfama on foot, up to the castle walls | Feira da Ladra, if it is a Tuesday or Saturday | 12,50 € |
| 2 | Belém: the monastery before ten | the riverside back towards Cais do Sodré | 18,00 € |
| 3 | the early train to Sintra | slow: Chiado, a viewpoint, a late dinner | 31,00 € |

1. Buy a *Viva Viagem* card
   - for trams, `funiculars` and the ferry
   - not for the train to Sintra
2. Donaudampfschifffahrtsgesellschaft

> The light of Lisbon is white.

```python
def walk(day: int, start: str = "Alfama", end: str = "Cais do Sodré", *, slowly: bool = True) -> list[str]:
    return [start, "Miradouro das Portas do Sol", end]  # a comment that is longer than the line on any phone
```"""
LONG = "One moment, please, while I think about that. " * 12


def welcome(stage: Stage) -> Iterator[State]:
    """The empty page of each companion; the drawer; the shortcuts."""
    page = stage.page()
    for companion in COMPANIONS:
        choose(page, companion)
        yield f"empty-{companion.lower()}", page
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('#shortcuts').showModal()")
    yield "shortcuts", page


def waiting(stage: Stage) -> Iterator[State]:
    """In line behind others, thinking, streaming, stopped; a message that waits for the one before."""
    stage.provider.script(match="blocks", text=LONG, pause_after=5, until="go")
    other = stage.page()
    say(other, "This blocks the line.")
    expect(answers(other)).to_contain_text("One moment")
    page = stage.page()
    choose(page, "Emotional")
    stage.provider.script(
        match="thought",
        thoughts="First, what do they know of trams? " * 6,
        text=LONG,
        pause_after=20,
        until="thought",
    )
    say(page, "Give it some thought, please.")
    expect(answers(page)).to_contain_text("Next in line")
    yield "waiting", page
    stage.provider.release("go")
    expect(answers(page)).to_contain_text("is thinking")
    answers(page).get_by_text("Thoughts so far").click()
    yield "thinking", page
    stage.provider.script(text=ANSWER, pause_after=60, until="seen")
    say(page, QUESTION)
    expect(answers(page).nth(1)).to_contain_text("Waiting for the previous answer")
    yield "waiting-for-previous", page
    stage.provider.release("thought")
    expect(text_of(answers(page).nth(1)).get_by_role("table")).to_be_visible()
    yield "streaming", page
    page.get_by_role("button", name="Stop").last.click()
    expect(answers(page).nth(1)).to_contain_text("Stopped here.")
    yield "stopped", page


def answered(stage: Stage) -> Iterator[State]:
    """A whole answer, its tools, feedback, an edit, the question before; the same again from the cache."""
    page = stage.page()
    choose(page, "Travel")
    stage.provider.script(text=ANSWER)
    say(page, QUESTION)
    expect(answers(page)).to_have_attribute("data-status", "completed")
    yield "answered", page
    page.locator("#content").evaluate("e => e.scrollTop = 0")
    yield "answered-top", page
    answers(page).get_by_role("button", name="Poor answer").click()
    expect(page.get_by_role("group", name="What was wrong with this answer?")).to_be_visible()
    yield "feedback", page
    page.reload()
    questions(page).first.get_by_role("button", name="Edit").click()
    yield "edit", page
    page.keyboard.press("Escape")
    edit(page, 0, "Something else, please.")
    expect(text_of(questions(page))).to_have_text("Something else, please.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    answers(page).get_by_role("button", name="Regenerate").click()
    expect(answers(page)).to_contain_text("2 / 2")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    yield "versions", page
    page.goto(stage.site.url)
    choose(page, "Travel")
    say(page, QUESTION)
    expect(answers(page)).to_contain_text("Saved answer")
    yield "cached", page


def failures(stage: Stage) -> Iterator[State]:
    """Failed after a beginning, failed without words, refused; cancelled in line."""
    page = stage.page()
    stage.provider.script(text="A start that", end="cut", times=3)
    say(page, "Fail, please.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible(timeout=40_000)
    yield "failed-cut", page
    stage.provider.script(status=400, code="invalid_request_error", message="no", times=1)
    say(page, "Refuse, please.")
    expect(answers(page).nth(1)).to_have_attribute("data-status", "failed")
    yield "failed-refused", page
    stage.provider.script(match="blocks", text=LONG, pause_after=5, until="go")
    other = stage.page()
    say(other, "This blocks the line.")
    expect(answers(other)).to_contain_text("One moment")
    say(page, "Cancel me.")
    page.get_by_role("button", name="Cancel").click()
    expect(answers(page).nth(2)).to_have_attribute("data-status", "cancelled")
    yield "cancelled", page
    stage.provider.release("go")
    stage.provider.script(status=500, times=1)
    say(page, "Try twice, please.")
    expect(answers(page).nth(3)).to_contain_text("Trying again")
    yield "retrying", page


def limits(stage: Stage) -> Iterator[State]:
    """A held message, a spent budget, a full queue."""
    page = stage.page(site=stage.strict)
    say(page, "Question 1, please.")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    say(page, "And what about " + "the food, " * 200 + "please?")
    expect(questions(page).last).to_contain_text("budget")
    yield "budget-spent", page
    fresh = stage.page(site=stage.strict)
    for number in (1, 2):
        say(fresh, f"Question {number}, please.")
        expect(answers(fresh).nth(number - 1)).to_have_attribute("data-status", "completed")
    say(fresh, "And a third.")
    expect(answers(fresh).nth(2)).to_contain_text("You have sent many messages")
    yield "held", fresh
    stage.provider.script(text=LONG, pause_after=5, until="full")
    for _ in range(2):
        say(stage.page(site=stage.strict), "Hello there.")
    late = stage.page(site=stage.strict)
    expect(late.locator("#notice")).to_be_visible()
    say(late, "Is there room for me?")
    expect(questions(late)).to_contain_text("The queue is full")
    yield "queue-full", late


def long_conversation(stage: Stage) -> Iterator[State]:
    """Hundreds of messages: the end, the button to go there, the list of conversations, a search."""
    page = stage.page()
    for text in (
        "Kyoto in autumn, and where the herons are",
        "What is “Rindfleischetikettierungsüberwachung”?",
    ):
        page.goto(stage.site.url)
        say(page, text)
        expect(answers(page)).to_have_attribute("data-status", "completed")
    stage.site.run(SEED.format(thread=page.url.rpartition("/")[2], messages=120))
    page.reload()
    expect(page.get_by_text("Message 119")).to_be_visible()
    page.locator("#content").hover()
    page.mouse.wheel(0, -900)
    expect(page.get_by_role("button", name="Jump to the latest")).to_be_visible()
    yield "long", page
    page.keyboard.press("Control+k")
    page.get_by_label("Find a conversation").fill("heron")
    expect(page.locator(".thread__snippet").first).to_be_visible()
    page.locator(".thread__more").first.click(force=True)
    yield "search", page
    page.locator(".thread__actions:visible").get_by_role("button", name="Delete").click()
    yield "delete-confirm", page


def drawer(stage: Stage) -> Iterator[State]:
    """The list of conversations as phones show it."""
    page = stage.page(viewport={"width": 390, "height": 844})
    say(page, "Where is Porto?")
    expect(answers(page)).to_have_attribute("data-status", "completed")
    page.get_by_role("button", name="Conversations").click()
    expect(page.locator("#threads .thread")).to_have_count(1)
    yield "drawer", page


def help_and_connection(stage: Stage) -> Iterator[State]:
    """The help lines below a message; offline; an ended session; a conversation that does not exist."""
    page = stage.page(locale="en-GB")
    say(page, "I don't want to live any more")
    expect(page.locator(".care")).to_contain_text("I am glad you said that")
    yield "care", page
    page.context.set_offline(True)
    expect(page.get_by_text("You are offline.").first).to_be_visible()
    say(page, "Written offline.")
    expect(questions(page).last).to_contain_text("Saved on this device.")
    yield "offline", page
    ended = stage.page(script=HANDS_ON)
    ended.wait_for_function("() => window.socket?.readyState === 1")
    ended.evaluate("hangUp(4401)")
    expect(ended.locator("#banner")).to_contain_text("Your session has ended.")
    say(ended, "Written too late.")
    yield "session-ended", ended
    yield "conversation-missing", stage.page("/t/" + "0" * 32)


def documents_and_voice(stage: Stage) -> Iterator[State]:
    """A held document, its report, a recording."""
    page = stage.page()
    text = "\n\n".join(f"# Chapter {n}\n\nThe harbour took in {n * 100} ships." for n in range(1, 9))
    note = "NOTES:\n- Many ships came, more each year\nQUOTES: 3\nOPEN: Who counted?"
    stage.provider.script(match="Part 1 of 1", text=note, until="seen")
    file = {"name": "Hafenmeisterverzeichnis-of-the-year-1755.md", "mimeType": "", "buffer": text.encode()}
    page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator("#attachment")).to_contain_text("Hafenmeister")
    yield "document-held", page
    say(page, "How many ships?")
    expect(questions(page)).to_contain_text("How many ships?")
    expect(answers(page)).to_contain_text(re.compile("of 1|reading", re.I))
    yield "document-reading", page
    stage.provider.release("seen")
    expect(answers(page)).to_have_attribute("data-status", "completed", timeout=60_000)
    yield "document-report", page
    page = stage.page(permissions=["microphone"])
    page.get_by_role("button", name="Record a voice message").click()
    expect(page.locator("#voice")).to_contain_text("of 5:00")
    yield "recording", page


STATES = [
    welcome,
    waiting,
    answered,
    failures,
    limits,
    long_conversation,
    drawer,
    help_and_connection,
    documents_and_voice,
]
