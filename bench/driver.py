"""What the driver of a cluster does for an article, in processor time: reading, looking it up, writing its outcome. Workers do the rest.

`python bench/driver.py` takes seconds and needs no Ray, whose own share is not in it. `docs/scale.md` reckons with its figure.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import kill

from extractor.articles.discover import discover
from extractor.articles.read import read
from extractor.records import RawItem, Reply
from extractor.runs.flow import flow
from extractor.runs.ledger_shards import ShardedLedger
from extractor.runs.session import Memory, Session
from extractor.schemas import WeaponsTransfer
from extractor.settings import Settings


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--articles", type=int, default=2000)
    count = arguments.parse_args().articles
    with tempfile.TemporaryDirectory() as folder, ShardedLedger(Path(folder) / "out") as ledger:
        paths = kill.write_articles(Path(folder) / "articles", count)
        session = Session({"weapons_transfer": WeaponsTransfer}, Settings(base_url="http://127.0.0.1:9/v1"), Memory(ledger=ledger))
        ledger.start_run(session.manifest({}), session.stored_types())
        outcomes = []
        for source in discover((str(paths),)):
            for article in read(source):
                number = int(article.id[1:-4])
                said = [kill.transfer(f"Norway will give {tanks} tanks to Ukraine", tanks) for tanks in kill.counts_of(number)]
                items = tuple(RawItem(fact_type="weapons_transfer", index=n, json_text=json.dumps(fact)) for n, fact in enumerate(said))
                steps = flow(article, session.plan)
                next(steps)
                try:
                    steps.send([Reply(outcome="ok", items=items)])
                except StopIteration as end:
                    outcomes.append(end.value)
        began, wall = time.process_time(), time.perf_counter()
        for source, outcome in zip(discover((str(paths),)), outcomes, strict=True):
            (article,) = read(source)
            session.is_done(article)
            session.remember(outcome)
        spent, wall = time.process_time() - began, time.perf_counter() - wall
        asyncio.run(session.aclose())
    print(f"{count} articles: {1000 * spent / count:.2f} ms of processor time each, {count / spent:.0f}/s on one core; {wall:.1f} s in all")


if __name__ == "__main__":
    main()
