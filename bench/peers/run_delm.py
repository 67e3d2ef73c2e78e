"""DELM over the same articles: its own pipeline, without cache and cost tracking.

Its tokenizer is downloaded at the first use, which a closed network cannot give: a stand-in counts four characters as one token, which
costs DELM less than its own.

Takes a folder of articles, a loopback base URL and the number of workers; prints one JSON object.
"""

import json
import os
import resource
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import delm.core.extraction_manager
import pandas as pd

os.environ["OPENAI_API_KEY"] = "none"
os.chdir(tempfile.mkdtemp(prefix="delm-"))  # it writes `.delm` where it stands

from delm import DELM, ExtractionVariable, Schema  # noqa: E402 - after the folder it writes into is changed


class _Tokens:
    def encode(self, text: str, **_: object) -> range:
        """As many tokens as four characters each make."""
        return range(len(text) // 4)


delm.core.extraction_manager.get_tokenizer_for_model = lambda _: _Tokens()


def main(folder: str, base_url: str, workers: int) -> None:
    """Extract all articles in one call, batches as wide as the workers."""
    if urlsplit(base_url).hostname != "127.0.0.1":
        raise SystemExit(f"{base_url!r} is not this machine")
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(folder).iterdir())]
    schema = Schema.nested(
        "facts",
        ExtractionVariable("kind", "Kind of fact", "string", required=True),
        ExtractionVariable("quote", "Verbatim words", "string", required=True),
    )
    pipeline = DELM(
        schema,
        model="gpt-4o-mini",
        base_url=base_url,
        mode="tools",
        batch_size=workers,
        max_workers=workers,
        track_cost=False,
        cache_backend=None,
        console_log_level="ERROR",
    )
    rows = pipeline.extract(pd.DataFrame({"text": texts}))
    found = sum(len((json.loads(row) if isinstance(row, str) else row or {}).get("facts", [])) for row in rows["delm_extracted_data_json"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"facts": found, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
