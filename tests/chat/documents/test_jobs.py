"""The job's handler alone, with a model that fails or answers badly."""

import re
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from chat.conversations.messages import AcceptedMessage
from chat.documents import services
from chat.documents.jobs import analyse
from chat.documents.models import Analysis, Chunk
from chat.prompting.token_budget import estimate_tokens
from queueing.api import Cooldown, Job, JobContext, Permanent, Retry, cancel
from tests.provider.script import Script

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

PARTS = 4
TEXT = "\n\n".join(
    f"# Year {n}\n\nIn the year {n} the harbour took in {n * 100} ships."
    + " Nothing else was said of it." * 45
    for n in range(1, PARTS + 1)
)


@pytest.fixture(autouse=True)
def window(settings: Any) -> None:
    """Set a context window that makes each section of the text one part."""
    settings.OPENAI_CONTEXT_TOKENS = 2000


async def submit_text(text: str = TEXT, question: str = "How many ships?") -> AcceptedMessage:
    request = services.AnalysisRequest(owner="s:ada", companion="travel", request_id="r-1", question=question)
    return await sync_to_async(services.analyse_text)(request, words=text)


async def _no_pause() -> None:
    """Return at once, as without clients that watch the job."""


async def run(asked: AcceptedMessage) -> tuple[dict[str, Any], JobContext]:
    """Run the job once; return its result and context."""
    ctx = JobContext(
        job_id=asked.job.id.hex,
        kind=asked.job.kind,
        owner=asked.job.owner,
        request_id="r-1",
        attempt=1,
        max_attempts=5,
        emit=lambda name, fields: None,
        pace=_no_pause,
    )
    return await analyse(ctx, reply_id=asked.reply_id), ctx


def parts_asked(provider: Any) -> list[str]:
    prompts = [request.json["messages"][-1]["content"] for request in provider.requests]
    return sorted(match[1] for prompt in prompts if (match := re.search(r"\nPart (\d+) of 4 of", prompt)))


async def test_retry_reads_only_unread_parts(provider):
    provider.script(match="Part 2 of", status=500)
    asked = await submit_text()
    with pytest.raises(Retry):
        await run(asked)
    done = await Chunk.objects.exclude(result=None).acount()
    assert 0 < done < PARTS, "running calls are finished, and no further one is started"

    result, ctx = await run(asked)
    assert parts_asked(provider) == ["1", "2", "2", "3", "4"]
    assert ctx.text.count("of 4, “Year") == PARTS, (
        "all parts are streamed again, for clients that watch this run"
    )
    assert result["parts"] == PARTS
    assert result["response"].startswith("## Summary")


async def test_cooldown_starts_no_further_call(provider):
    provider.script(Script(match="Part 1 of", status=429, headers={"retry-after": "20"}))
    with pytest.raises(Cooldown) as caught:
        await run(await submit_text())
    assert caught.value.after == 20
    assert parts_asked(provider) == ["1", "2"]


async def test_declined_part_is_skipped_and_named(provider):
    provider.script(match="Part 3 of", end="refusal", message="I would rather not.")
    provider.script(match="Part 4 of", end="content_filter")
    result, ctx = await run(await submit_text())
    assert "- Skipped: part 3 (“Year 3”): the model declined to read it" in result["response"]
    assert "- Skipped: part 4 (“Year 4”): the content filter blocked it" in result["response"]
    assert "Part 3 of 4, “Year 3”\n- Skipped: the model declined to read it." in ctx.text


async def test_all_parts_declined_fails_the_job(provider):
    provider.script(end="refusal", times=0)
    with pytest.raises(Permanent) as caught:
        await run(await submit_text())
    assert caught.value.message == "No part of this document could be read: the model declined to read it."


async def test_refused_key_fails_instead_of_skipping(provider):
    provider.script(status=401)
    with pytest.raises(Permanent) as caught:
        await run(await submit_text())
    assert caught.value.code == "not_configured"
    assert len(provider.requests) <= 2


async def test_empty_answer_is_replaced_by_the_documents_sentences(provider):
    provider.script(text=" ", match="Part 1 of")
    result, ctx = await run(await submit_text())
    assert "harbour took in 100 ships" in ctx.text
    assert "## Quotes\n\n>" in result["response"]


async def test_unusable_answers_still_make_a_report(provider):
    provider.script(text="# 1. 1.\n```\n2. 2.\n> SUMMARY\n# KEY: 9\n|-|", times=0)
    result, _ = await run(await submit_text())
    headings = re.findall(r"^#+ .*", result["response"], re.MULTILINE)
    assert headings == ["## Summary", "## Key points", "## Quotes", "## What was read"]


async def test_many_notes_are_reduced_within_the_window(provider, settings):
    settings.OPENAI_CONTEXT_TOKENS = 1200
    notes = "NOTES:\n" + "\n".join(
        f"- In this part {n} things of some importance were said at length" for n in "abcde"
    )
    provider.script(match="Part ", text=notes, times=0)
    provider.script(match="These notes", text="SUMMARY: Much was said here.\nKEY: 1\nOPEN: none", times=0)
    result, _ = await run(await submit_text())
    assert "Much was said here." in result["response"]
    levels = [level async for level in Chunk.objects.values_list("level", flat=True).distinct()]
    assert max(levels) >= 2, "one step was not enough"
    for request in provider.requests:
        messages = request.json["messages"]
        tokens = sum(estimate_tokens(message["content"]) for message in messages)
        assert tokens + request.json["max_tokens"] <= 1200


async def test_window_too_small_is_not_configured(provider, settings):
    settings.OPENAI_CONTEXT_TOKENS = 400
    with pytest.raises(Permanent) as caught:
        await run(await submit_text())
    assert caught.value.code == "not_configured"
    assert not provider.requests


async def test_deleted_document_fails_the_job(provider):
    asked = await submit_text()
    await Analysis.objects.all().adelete()
    with pytest.raises(Permanent) as caught:
        await run(asked)
    assert caught.value.code == "document_gone"


async def test_sweep_deletes_old_documents_of_ended_jobs():
    asked = await submit_text()
    old = timezone.now() - services.KEEP - timedelta(hours=1)
    await Analysis.objects.all().aupdate(created_at=old)
    assert await sync_to_async(services.sweep)() == 0, "its job is not finished"
    await sync_to_async(cancel)(asked.job.id)
    assert await sync_to_async(services.sweep)() == 0, "its job ended now, and can be retried (E16)"
    await Job.objects.filter(id=asked.job.id).aupdate(finished_at=old)
    assert await sync_to_async(services.sweep)() == 1
    assert not await Analysis.objects.aexists()
