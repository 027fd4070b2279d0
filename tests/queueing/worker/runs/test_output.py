"""`ctx.pace`: handlers that read a stream in the rhythm of sending."""

import asyncio

import pytest

from queueing.events import delivery
from queueing.events.catch_up import text_so_far
from queueing.models import Job
from queueing.record.job_spec import JobSpec
from queueing.record.run import Run, as_run
from queueing.schedule import redis_client, scripts
from queueing.worker.runs import output_sender
from queueing.worker.runs.output_sender import OutputSender
from queueing.worker.runs.run_output import RunOutput

pytestmark = pytest.mark.usefixtures("valkey")


def make_run() -> Run:
    """Return the run of a job that is not stored."""
    job: Job = JobSpec(kind="test.echo", owner="alice").build({"text": ""})
    return as_run(job)


async def test_pace_of_many_runs_returns_once_per_send():
    outputs = [RunOutput(make_run(), OutputSender.for_running_loop()) for _ in range(50)]

    async def speak(output: RunOutput) -> None:
        for word in range(5):
            output.context.delta(f"{word} ")
            await output.context.pace()

    async with asyncio.timeout(5):
        await asyncio.gather(*map(speak, outputs))
        await asyncio.gather(*(output.flush() for output in outputs))
    assert {output.context.text for output in outputs} == {"0 1 2 3 4 "}


async def test_pace_without_unsent_output_returns_at_once():
    output = RunOutput(make_run(), OutputSender.for_running_loop())
    async with asyncio.timeout(1):
        await output.context.pace()
        output.context.delta("")
        await output.context.pace()


async def claimed_output() -> RunOutput:
    """Return the output of a run whose claim holds."""
    output = RunOutput(make_run(), OutputSender.for_running_loop())
    await redis_client.aclient().hset(scripts.key("claims"), output.run.id, output.run.token)
    return output


async def text_of(output: RunOutput) -> str:
    """Return the text that is stored in Redis."""
    return (await text_so_far(output.run.id))[1]


async def test_first_piece_is_sent_at_once_and_later_ones_together(monkeypatch):
    """An idle worker adds no delay; what comes in the pause after a round is sent as one."""
    monkeypatch.setattr(output_sender, "_PAUSE", 1e9)
    monkeypatch.setattr(output_sender, "_MAX_PAUSE", 600.0)
    output = await claimed_output()
    async with asyncio.timeout(5):
        output.context.delta("one ")
        while await text_of(output) != "one ":
            continue
        output.context.delta("two ")
        output.context.delta("three")
        assert output.has_unsent
        monkeypatch.setattr(RunOutput, "take_chunk", take := Noting(RunOutput.take_chunk))
        await output.flush()
    assert take.texts == ["two three"]
    assert await text_of(output) == "one two three"
    await redis_client.aclose()


async def test_end_of_a_run_does_not_wait_for_the_pause_of_others(monkeypatch):
    """The pause holds for runs that go on; one that ends is sent without them."""
    monkeypatch.setattr(output_sender, "_PAUSE", 1e9)
    monkeypatch.setattr(output_sender, "_MAX_PAUSE", 600.0)
    ends, goes_on = await claimed_output(), await claimed_output()
    async with asyncio.timeout(5):
        ends.context.delta("first ")
        await ends.flush()
        goes_on.context.delta("waits")
        ends.context.delta("last")
        await ends.flush()
        assert await text_of(ends) == "first last"
        assert goes_on.has_unsent
        await goes_on.flush()
    assert await text_of(goes_on) == "waits"
    await redis_client.aclose()


async def test_more_runs_than_a_round_has_take_turns(monkeypatch):
    """No run waits for the second piece of another."""
    monkeypatch.setattr(output_sender, "_MAX_RUNS_PER_SEND", 4)
    outputs = [await claimed_output() for _ in range(10)]
    monkeypatch.setattr(RunOutput, "take_chunk", take := Noting(RunOutput.take_chunk))

    async def speak(output: RunOutput) -> None:
        for word in ("one ", "two ", "three "):
            output.context.delta(word)
            await output.context.pace()

    async with asyncio.timeout(5):
        await asyncio.gather(*map(speak, outputs))
        await asyncio.gather(*(output.flush() for output in outputs))
    assert sorted(take.ids[:10]) == sorted(output.run.id for output in outputs)
    assert [await text_of(output) for output in outputs] == ["one two three "] * 10
    await redis_client.aclose()


class Noting:
    """`RunOutput.take_chunk`, with a list of what it took."""

    def __init__(self, take) -> None:
        self.texts: list[str] = []
        self.ids: list[str] = []
        self._take = take

    def __get__(self, output: RunOutput, _: object):
        return lambda: self._note(output)

    def _note(self, output: RunOutput):
        if chunk := self._take(output):
            self.texts.append(chunk.text)
            self.ids.append(chunk.job_id)
        return chunk


async def test_text_added_in_the_send_slot_is_sent_in_the_same_round(monkeypatch):
    sent: list[str] = []
    take = RunOutput.take_chunk

    def note(output: RunOutput):
        piece = take(output)
        sent.append(piece.text if piece else "")
        return piece

    monkeypatch.setattr(RunOutput, "take_chunk", note)
    output = RunOutput(make_run(), OutputSender.for_running_loop())
    output.context.delta("first, ")
    await output.context.pace()
    output.context.delta("second")
    await output.flush()
    assert sent == ["first, second"]


async def test_output_is_sent_as_started_progress_thinking_and_delta_events(monkeypatch):
    sent: list[tuple[str, dict]] = []

    async def emit_many(events):
        sent.extend(events)

    async def emit(owner, event):
        sent.append((owner, event))

    monkeypatch.setattr(delivery, "emit_many", emit_many)
    monkeypatch.setattr(delivery, "emit", emit)
    run = make_run()
    await redis_client.aclient().hset(scripts.key("claims"), run.id, run.token)
    output = RunOutput(run, OutputSender.for_running_loop())
    await output.send_started()
    output.context.progress(1, 2, "half")
    output.context.thinking(1.26)
    output.context.delta("one ")
    await output.flush()
    output.context.delta("two")
    await output.flush()
    assert {owner for owner, _ in sent} == {"alice"}
    assert [event["type"] for _, event in sent] == [
        "test:started",
        "test:progress",
        "test:thinking",
        "test:delta",
        "test:delta",
    ]
    assert (sent[2][1]["run"], sent[2][1]["seconds"]) == (run.number, 1.3)
    assert [(event["offset"], event["text"]) for _, event in sent[3:]] == [(0, "one "), (4, "two")]
    assert await text_so_far(run.id) == (run.number, "one two")
    await redis_client.aclose()


async def test_text_that_cannot_be_stored_costs_its_own_stream_alone(caplog):
    """E15: what gets past `ctx.delta` harms no other stream, not even in the same round."""
    outputs = [RunOutput(make_run(), OutputSender.for_running_loop()) for _ in range(3)]
    for output in outputs:
        await redis_client.aclient().hset(scripts.key("claims"), output.run.id, output.run.token)
    for round_ in range(2):
        for output in outputs:
            output.context.delta(f"{round_} ")
        outputs[1].context.text += "\ud800"
        async with asyncio.timeout(5):
            await asyncio.gather(*(output.flush() for output in outputs))
    texts = [(await text_so_far(output.run.id))[1] for output in outputs]
    assert texts == ["0 1 ", "", "0 1 "]
    assert "was not stored" in caplog.text
    await redis_client.aclose()


def replaced(stored: str, run: int) -> list[str]:
    """Return texts that a Redis without its last writes may have in place of the stored one."""
    text = stored.partition("\x1f")[2]
    return [
        f"{run}\x1f{text[:-3]}",  # a failover to a replica that lacked the last piece
        f"{run}\x1f",
        f"{run - 1}\x1f{'x' * len(text)}",  # that of an earlier run, of the same length
        "",
    ]


@pytest.mark.parametrize("number", range(4))
async def test_text_is_stored_whole_again_where_redis_lost_the_end_of_it(number):
    """K2: after a failover the next piece was appended to a text that lacked the piece before it."""
    run = make_run()
    await redis_client.aclient().hset(scripts.key("claims"), run.id, run.token)
    output = RunOutput(run, OutputSender.for_running_loop())
    for piece in ("naïve 東京 ", "🙂 rain "):
        output.context.delta(piece)
        await output.flush()
    key = scripts.stream_key(run.id)
    stored = await redis_client.aclient().get(key)
    assert stored == f"{run.number}\x1fnaïve 東京 🙂 rain "
    if lost := replaced(stored, run.number)[number]:
        await redis_client.aclient().set(key, lost)
    else:
        await redis_client.aclient().delete(key)
    output.context.delta("tram")
    await output.flush()
    assert await text_so_far(run.id) == (run.number, "naïve 東京 🙂 rain tram")
    await redis_client.aclose()
