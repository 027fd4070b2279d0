"""Steps of a conversation in one thread."""

from typing import Any

from tests.chat.browser import Browser, Tab

SLOW = " ".join(["slow"] * 400)


async def send_question(tab: Tab, text: str, request_id: str, **more: Any) -> dict[str, Any]:
    """Ask, and return the `chat:queued` that answers."""
    await tab.ask(text, request_id, **more)
    heard = await tab.receive_until("chat:queued", "chat:rejected", "error")
    while heard[-1].get("requestId") != request_id:
        heard = await tab.receive_until("chat:queued", "chat:rejected", "error")
    return heard[-1]


async def wait_for_end(tab: Tab, job_id: str) -> dict[str, Any]:
    """Return the job's terminal event."""
    while True:
        event = (await tab.receive_until("chat:completed", "chat:failed", "chat:cancelled"))[-1]
        if event["jobId"] == job_id:
            return event


async def read_thread(browser: Browser, thread_id: str) -> list[tuple[str, str, str]]:
    """Return (role, content, status) of each message, as a reloaded page gets them."""
    answer = (await browser.client.get(f"/api/threads/{thread_id}")).json()
    return [(m["role"], m["content"], m["status"]) for m in answer["messages"]]


async def start_slow_answer(tab: Tab, provider: Any, text: str = "First") -> dict[str, Any]:
    """Ask, and return the `chat:queued` when the slow answer has begun."""
    provider.script(text=SLOW, delay=0.05, match=text)
    queued = await send_question(tab, text, text)
    await tab.receive_until("chat:delta")
    return queued


async def start_slow_follow_up(tab: Tab, provider: Any, thread_id: str) -> dict[str, Any]:
    provider.script(text=SLOW, delay=0.05, match="Follow-up")
    queued = await send_question(tab, "Follow-up", "r-2", threadId=thread_id)
    await tab.receive_until("chat:delta")
    return queued
