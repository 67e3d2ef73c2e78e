"""langextract over the same articles: its OpenAI provider, one chunk an article, imports and client paid before the clock starts.

Takes a folder of articles, a loopback base URL and the number of workers; prints one JSON object.
"""

import json
import resource
import sys
from pathlib import Path
from urllib.parse import urlsplit

import langextract as lx
from langextract.core.data import Document, ExampleData, Extraction
from langextract.providers.openai import OpenAILanguageModel


def main(folder: str, base_url: str, workers: int) -> None:
    """Extract all articles in one call, batches as wide as the workers: its best setting that keeps the bound."""
    if urlsplit(base_url).hostname != "127.0.0.1":
        raise SystemExit(f"{base_url!r} is not this machine")
    sentence = "Norway will give 10 tanks to Estonia."
    kinds = ("weapons_transfer", "funding_source", "negotiation_proposal")
    example = ExampleData(text=sentence, extractions=[Extraction(kind, sentence, attributes={"status": "said"}) for kind in kinds])
    documents = [Document(text=path.read_text(encoding="utf-8"), document_id=path.name) for path in sorted(Path(folder).iterdir())]
    model = OpenAILanguageModel(model_id="bench", api_key="none", base_url=base_url, max_workers=workers)
    results = lx.extract(
        documents,
        prompt_description="Weapons transfers, funding sources and negotiation proposals, verbatim.",
        examples=[example],
        model=model,
        max_char_buffer=1_000_000,
        batch_length=workers,
        max_workers=workers,
        show_progress=False,
        fetch_urls=False,
    )
    found = sum(len(result.extractions or []) for result in results)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"facts": found, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
