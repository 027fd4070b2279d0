"""Asking again and again in one thread."""

from typing import Any

from tests.chat.tabs import Browser, Tab

SLOW = " ".join(["slow"] * 400)


async def ask(tab: Tab, text: str, request_id: str, **more: Any) -> dict[str, Any]:
    """Ask, and the `chat:queued` that answers."""
    await tab.ask(text, request_id, **more)
    heard = await tab.hear_until("chat:queued", "chat:rejected", "error")
    while heard[-1].get("requestId") != request_id:
        heard = await tab.hear_until("chat:queued", "chat:rejected", "error")
    return heard[-1]


async def end_of(tab: Tab, job_id: str) -> dict[str, Any]:
    """The job's terminal event."""
    while True:
        event = (await tab.hear_until("chat:completed", "chat:failed", "chat:cancelled"))[-1]
        if event["jobId"] == job_id:
            return event


async def thread_of(browser: Browser, thread_id: str) -> list[tuple[str, str, str]]:
    """(role, content, status) of each message, as a page that is loaded anew finds them."""
    answer = (await browser.client.get(f"/api/threads/{thread_id}")).json()
    return [(m["role"], m["content"], m["status"]) for m in answer["messages"]]


async def running(tab: Tab, provider: Any, text: str = "First") -> dict[str, Any]:
    """A question whose slow answer has begun."""
    provider.script(text=SLOW, delay=0.05, match=text)
    queued = await ask(tab, text, text)
    await tab.hear_until("chat:delta")
    return queued


async def running_in(tab: Tab, provider: Any, thread_id: str) -> dict[str, Any]:
    provider.script(text=SLOW, delay=0.05, match="Follow-up")
    queued = await ask(tab, "Follow-up", "r-2", threadId=thread_id)
    await tab.hear_until("chat:delta")
    return queued
