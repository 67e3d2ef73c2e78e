"""An article's flow, driven by stored replies alone: what it comes to, or what it would ask next.

In: an article, a session, a way to look replies up. Out: an outcome, or calls. Floor: runs.
Before changing it: runs that do not ask at once (batches, clusters) find out here what there is to ask; nothing is sent.
"""

from collections.abc import Callable

from extractor.evidence.outcome import Outcome
from extractor.evidence.validate import JUDGE_VERSION
from extractor.records import Article, Call, Reply
from extractor.runs.flow import flow
from extractor.runs.session import Session


def so_far(session: Session, article: Article, stored: Callable[[Call], Reply | None]) -> Outcome | list[Call]:
    """The outcome of an article, where stored replies go so far; else the calls that have none.

    Args:
        session: How to ask.
        article: What to read.
        stored: The reply to a call; None where there is none.
    """
    steps = flow(article, session.plan)
    calls = next(steps)
    while True:
        replies = [stored(call) for call in calls]
        known = [reply for reply in replies if reply]
        if len(known) < len(calls):
            return [call for call, reply in zip(calls, replies, strict=True) if reply is None]
        try:
            calls = steps.send(known)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def judged_again(session: Session, article: Article) -> Outcome | None:
    """Where only our judging has changed, what it makes of the stored replies; None where more has, or a reply is missing."""
    ledger = session.memory.ledger
    known = ledger.known([article.id]).get(article.id) if ledger else None
    if ledger is None or known is None or known.judge_version == JUDGE_VERSION or known.outcome_key != session.key(article):
        return None
    not_asked = Reply(outcome="not_asked", error="judging stored replies again, and this call was never made")
    only_ok = session.memory.retry_failed
    got = so_far(session, article, lambda call: ledger.reply(session.client.key(call), call.fact_types, only_ok=only_ok) or not_asked)
    return got if isinstance(got, Outcome) and got.cause != "not_asked" else None
