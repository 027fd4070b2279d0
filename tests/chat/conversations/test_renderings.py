"""Replies are rendered once, and their HTML is kept with them (S22)."""

import pytest

from chat.conversations import renderings
from chat.conversations.renderings import html_of
from chat.markdown import render as markdown
from chat.models import Message, Rendering, Role

from .long_thread import long_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def rendered(monkeypatch):
    """The texts that were rendered."""
    texts = []

    def render(text: str) -> str:
        texts.append(text)
        return markdown.render(text)

    monkeypatch.setattr(renderings, "render", render)
    return texts


def reply(content: str) -> Message:
    thread = long_thread(2)
    thread.messages.filter(role=Role.ASSISTANT).update(content=content)
    return thread.messages.get(role=Role.ASSISTANT)


def test_reply_read_twice_is_rendered_once(rendered):
    one = reply("*Lisbon*")
    assert [html_of([one]) for _ in range(2)] == [{one.id: "<p><em>Lisbon</em></p>\n"}] * 2
    assert rendered == ["*Lisbon*"]


def test_changed_reply_is_rendered_again_whoever_changed_it(rendered):
    """A worker of an earlier version writes only the content."""
    one = reply("Lis")
    html_of([one])
    Message.objects.filter(id=one.id).update(content="Lisbon")
    one.refresh_from_db()
    assert html_of([one]) == {one.id: "<p>Lisbon</p>\n"}
    assert html_of([one]) == {one.id: "<p>Lisbon</p>\n"}
    assert rendered == ["Lis", "Lisbon"]
    assert Rendering.objects.count() == 1


def test_other_renderer_renders_again(rendered, monkeypatch):
    one = reply("Lisbon")
    html_of([one])
    monkeypatch.setattr(markdown, "_renderer_digest", lambda: b"the next version")
    html_of([one])
    assert rendered == ["Lisbon", "Lisbon"]


@pytest.mark.django_db(transaction=True)
def test_reply_that_is_deleted_meanwhile_keeps_no_html():
    one = reply("Lisbon")
    Message.objects.filter(id=one.id).delete()
    assert html_of([one]) == {one.id: "<p>Lisbon</p>\n"}
    assert not Rendering.objects.exists()


def test_html_is_deleted_with_its_message():
    one = reply("Lisbon")
    html_of([one])
    one.thread.delete()
    assert not Rendering.objects.exists()
