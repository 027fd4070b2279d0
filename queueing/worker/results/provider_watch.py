"""Reports how runs ended to the breakers of their providers, and applies what these reply.

Successes are only counted, in memory, while no provider of this worker fails: then nothing is reported.
"""

import logging
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from queueing.conf import get_conf, get_queue
from queueing.errors import Cooldown, Outage
from queueing.limits.backoff import delay_before_retry
from queueing.record.run import Result, Run
from queueing.schedule import redis_client, scripts
from queueing.schedule.scripts import Fault, ProviderEnd, Verdict
from queueing.states import State
from queueing.worker.runs.next_try import end_of_patience, has_patience, try_again, wait_for_provider

logger = logging.getLogger(__name__)

#: How long a success counts, in waits for the first probe, as in breaker.lua.
_KEPT = 24


class ProviderWatch:
    """The watch of one worker over the providers of its runs."""

    def __init__(self) -> None:
        self._good: dict[str, deque[list[float]]] = defaultdict(deque)
        """Provider -> [second, number] of the successes that were not reported."""

    async def judge(self, batch: Sequence[Result]) -> None:
        """Decide what happens after the failures of a batch whose cause may be the provider."""
        good: list[str] = []
        by_provider: dict[str, list[Result]] = defaultdict(list)
        for result in batch:
            is_good = result.state == State.COMPLETED and result.asked_provider
            if result.trouble or (is_good and result.run.watched):
                by_provider[get_queue(result.run.queue).breaker].append(result)
            elif is_good:
                good.append(result.run.queue)
        for queue, number in Counter(good).items():
            self._count(get_queue(queue).breaker, number)
        for provider, results in by_provider.items():
            for result, verdict in zip(results, await self._report(provider, results), strict=True):
                if result.trouble:
                    _apply(verdict, result)

    async def report_answer(self, run: Run) -> None:
        """Report that the provider answers a watched run, which has not ended."""
        run.watched = False
        end = ProviderEnd(run.id, "ok")
        provider = get_queue(run.queue).breaker
        try:
            await redis_client.arun(scripts.report(provider, _queues_of(provider), [end]))
        except redis_client.Unavailable as exc:
            logger.info("the answer to job %s was not reported: %s", run.id, exc)

    def _count(self, provider: str, number: int) -> None:
        now, good = int(time.monotonic()), self._good[provider]
        if good and good[-1][0] == now:
            good[-1][1] += number
            return
        good.append([now, number])
        while good[0][0] < now - _KEPT * get_conf().first_probe:
            good.popleft()

    def _take_good(self, provider: str) -> list[tuple[float, int]]:
        """Return the successes that still count, once: seconds ago, and their number."""
        now, longest = time.monotonic(), _KEPT * get_conf().first_probe
        good = [(now - second, int(number)) for second, number in self._good.pop(provider, ())]
        return [(ago, number) for ago, number in good if ago <= longest]

    async def _report(self, provider: str, results: Sequence[Result]) -> Sequence[Verdict]:
        ends = [_end_of(result) for result in results]
        call = scripts.report(provider, _queues_of(provider), ends, good=self._take_good(provider))
        try:
            return await redis_client.arun(call)
        except redis_client.Unavailable as exc:
            logger.warning("Redis is unavailable (%s): failures of %s are judged alone", exc, provider)
            return [_verdict_alone(end) for end in ends]


def _queues_of(provider: str) -> list[str]:
    return [queue.name for queue in get_conf().queues.values() if queue.breaker == provider]


def _end_of(result: Result) -> ProviderEnd:
    run, trouble = result.run, result.trouble
    if trouble is None:
        return ProviderEnd(run.id, "ok")
    is_last = run.attempt >= run.max_attempts
    if isinstance(trouble, Outage):
        return ProviderEnd(run.id, "outage" if trouble.certain else "maybe", trouble.after, is_last)
    return ProviderEnd(run.id, "cooldown", trouble.after, is_last)


def _verdict_alone(end: ProviderEnd) -> Verdict:
    fault = Fault.OWN if end.cause in ("ok", "maybe") else Fault.PROVIDER
    return Verdict(fault, max(end.wait, get_conf().first_probe), give_back=0, lasts=math.inf)


def _apply(verdict: Verdict, result: Result) -> None:
    """Change the result of a failure according to the verdict."""
    if verdict.fault == Fault.OWN:
        if isinstance(result.trouble, Cooldown):
            result.outcome = "failed"
            try_again(result, result.trouble, floor=result.trouble.after)
        return
    alone = verdict.fault == Fault.UNKNOWN
    wait = verdict.wait
    if alone:
        wait = delay_before_retry(get_queue(result.run.queue).backoff, 1, floor=wait)
    if not has_patience(result, wait, verdict.lasts):
        end_of_patience(result)
        return
    wait_for_provider(result, wait, alone=alone)
    result.given_back = verdict.give_back
    result.lets_pass = verdict.fault == Fault.PROVIDER_AGAIN
