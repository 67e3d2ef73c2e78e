"""What people ask a ledger: articles, facts, counts, and whether all of it still holds.

In: a run folder. Out: rows and sums. Floor: runs; SQL lives in `runs/ledger*.py` alone.
Before changing it: it must work while a run writes, and from the ledger alone: no fact type's class is at hand.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from extractor.errors import UsageError
from extractor.evidence.merge import told_of
from extractor.fingerprint import fingerprint
from extractor.llm.modes import request_key
from extractor.records import Article
from extractor.runs.ledger_file import LedgerFile
from extractor.runs.question import outcome_key, question_key


class LedgerView(LedgerFile):
    """A ledger to look into."""

    def articles(self) -> Iterator[dict[str, Any]]:
        """Every article in order of its id: `id`, `status`, `cause`, `reason`, `present`, and its `record` (see `records.Article`)."""
        for row in self._rows(
            "SELECT id, status, cause, reason, present, record FROM articles JOIN records ON article_id = id ORDER BY id"
        ):
            yield {**row, "present": bool(row["present"]), "record": json.loads(row["record"])}

    def rows(self, verdicts: Iterable[str] = ("kept", "repaired"), fact_types: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
        """Rows of facts, by article and in the order given there; for any verdict also quarantined and merged ones.

        Raises:
            UsageError: A fact type was never asked for in this run folder.
        """
        wanted, kinds = tuple(verdicts), tuple(fact_types)
        known = {entry["name"] for entry in self.fact_types()} if kinds else set()
        if strange := [name for name in kinds if name not in known]:
            raise UsageError(f"No fact type {strange[0]!r} in {str(self.folder)!r}; there are: {', '.join(sorted(known)) or 'none'}.")
        sql = f"SELECT row FROM facts WHERE verdict IN ({','.join('?' * len(wanted))})"  # noqa: S608 - marks only
        if kinds:
            sql += f" AND fact_type IN ({','.join('?' * len(kinds))})"
        for row in self._rows(f"{sql} ORDER BY article_id, position", (*wanted, *kinds)):
            yield json.loads(row["row"])

    def fact_types(self) -> Iterator[dict[str, Any]]:
        """Every version of every fact type asked for: `name`, `fingerprint`, `version`, `json_schema`; by name, the latest asked first."""
        for row in self._rows("SELECT name, fingerprint, version, json_schema FROM fact_types ORDER BY name, last_run DESC, fingerprint"):
            yield {**row, "json_schema": json.loads(row["json_schema"])}

    def manifests(self) -> Iterator[dict[str, Any]]:
        """What each run was made with, the first one first; see `Session.manifest`."""
        return (json.loads(row["manifest"]) for row in self._rows("SELECT manifest FROM runs ORDER BY id"))

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """While it lasts, everything that people ask is answered as of one moment, whatever a run writes meanwhile."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")  # nothing was written

    def failures(self) -> Iterator[dict[str, Any]]:
        """Articles that are not complete, those of one cause together: `id`, `status`, `cause`, `reason`."""
        return self._rows("SELECT id, status, cause, reason FROM articles WHERE status <> 'complete' ORDER BY status, cause, id")

    def summary(self) -> dict[str, Any]:
        """Counts for `status`: articles by status, facts by type and verdict, tokens, cost, the last run's manifest; see `failures` too."""
        db = self._db
        tokens = db.execute(
            "SELECT COUNT(*), TOTAL(input_tokens), TOTAL(cached_tokens), TOTAL(output_tokens), TOTAL(unreported), SUM(cost_usd),"
            " SUM(cost_usd IS NULL AND unreported = 0) FROM attempts"
        ).fetchone()
        last = db.execute("SELECT id, started_at, ended_at, exit_code, stopped, manifest FROM runs ORDER BY id DESC LIMIT 1").fetchone()
        return {
            "articles": dict(db.execute("SELECT status, COUNT(*) FROM articles GROUP BY status ORDER BY status").fetchall()),
            "absent": db.execute("SELECT COUNT(*) FROM articles WHERE NOT present").fetchone()[0],
            "unreadable": dict(db.execute("SELECT path, reason FROM unreadable ORDER BY path").fetchall()),
            "facts": [
                {"fact_type": kind, "verdict": verdict, "count": count}
                for kind, verdict, count in db.execute(
                    "SELECT fact_type, verdict, COUNT(*) FROM facts GROUP BY fact_type, verdict ORDER BY fact_type, verdict"
                )
            ],
            "quarantined_for": dict(
                db.execute(
                    "SELECT json_extract(issue.value, '$.code') AS code, COUNT(DISTINCT article_id || ' ' || position) AS items"
                    " FROM facts, json_each(facts.row, '$.issues') AS issue"
                    " WHERE verdict = 'quarantined' AND json_extract(issue.value, '$.severity') = 'error'"
                    " GROUP BY code ORDER BY items DESC, code"
                ).fetchall()
            ),
            "attempts": tokens[0],
            "input_tokens": int(tokens[1]),
            "cached_tokens": int(tokens[2]),
            "output_tokens": int(tokens[3]),
            "attempts_without_usage": int(tokens[4]),
            "cost_usd": None if tokens[6] else tokens[5],
            "attempt_outcomes": dict(db.execute("SELECT outcome, COUNT(*) FROM attempts GROUP BY outcome ORDER BY outcome").fetchall()),
            "last_run": {
                "number": last[0],
                "started_at": last[1],
                "ended_at": last[2],
                "exit_code": last[3],
                "stopped": last[4],
                "manifest": json.loads(last[5]),
            }
            if last
            else None,
        }

    def verify(self) -> list[str]:
        """What does not hold in this ledger, in words; empty when all of it does.

        Every fingerprint is derived anew: of stored texts, of each request from its parts, of each article from its text and what its run
        asked, of each believed fact from its value; and every quote is looked up at its offsets. It reads everything.
        """
        wrong: list[str] = []
        frames: set[str] = set()
        for row in self._rows("SELECT hash, text FROM texts"):
            frames.add(row["hash"])
            if fingerprint(row["text"]) != row["hash"]:
                wrong.append(f"text {row['hash']} is not what was stored")
        wrong += [
            f"attempt {row['id']} is not the request that its key says"
            for row in self._rows("SELECT id, key, endpoint, frame_hash, user_text FROM attempts ORDER BY id")
            if row["frame_hash"] not in frames or request_key(row["frame_hash"], row["user_text"], row["endpoint"]) != row["key"]
        ]
        wrong += self._wrong_articles()
        article_id, text = "", ""
        for row in self.rows(("kept", "repaired")):
            if row["article_id"] != article_id:
                article_id = row["article_id"]
                text = json.loads(self._db.execute("SELECT record FROM records WHERE article_id = ?", (article_id,)).fetchone()[0])["text"]
            if fingerprint([row["article_id"], row["fact_type"], told_of(row["value"])]) != row["id"]:
                wrong.append(f"fact {row['id']} of {row['article_id']!r} is not what its id says")
            wrong += [
                f"fact {row['id']} of {row['article_id']!r}: its quote does not stand at [{quote['start']}, {quote['end']})"
                for quote in row["evidence"]
                if text[quote["start"] : quote["end"]] != quote["quote"]
            ]
        return wrong

    def _wrong_articles(self) -> Iterator[str]:
        asked = {}
        for run in self._rows("SELECT id, manifest FROM runs"):
            manifest = json.loads(run["manifest"])
            if "schemas" in manifest:
                question = question_key(manifest["schemas"], manifest["prompts"], manifest["settings"])
                asked[run["id"]] = question, manifest["settings"]["part_chars"]
        for row in self._rows("SELECT id, outcome_key, run_id, record FROM articles JOIN records ON article_id = id"):
            article = Article.model_validate_json(row["record"])
            if row["run_id"] in asked and outcome_key(article, *asked[row["run_id"]]) != row["outcome_key"]:
                yield f"article {row['id']!r} is not what its run asked about"
