"""Feed mutated files to every reader of articles: each must give articles or one clear error, fast and in little memory.

    python bench/fuzz_readers.py [--each 10000] [--seed 1] [--only .pdf] [--jobs 2]

Prints a line for each reader: what came of the files, the slowest one, the memory at its peak. Ends with 1 and names the mutation where
a reader raised anything else, took over 10 s, or gave an article that can not be stored. `--extremes` adds the hostile files: bombs,
entities, deep nesting, endless lines.
"""

import argparse
import functools
import io
import json
import random
import resource
import sys
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "articles"))

import making  # noqa: E402 - it stands with the tests

from extractor.articles.discover import Source  # noqa: E402
from extractor.articles.read import read  # noqa: E402
from extractor.errors import ArticleError  # noqa: E402

SLOWEST_S = 10.0
MEMORY_BYTES = 6_000_000_000  # beyond this the system kills the worker, and the run shows it

TOKENS = (
    b"<", b">", b"<!--", b"]]>", b"<![CDATA[", b"&#x110000;", b"&lol;", b"<!DOCTYPE x [<!ENTITY lol 'ha'>]>", b'"', b"'", b"{", b"[",
    b"]", b"}", b"\\ud800", b"\x00", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b"obj", b"endobj", b"stream\n",
    b"/Length 99999999", b" 0 R", b"<<", b">>", b"/Kids [2 0 R]", b"From ", b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n",
    b"=?utf-8?b?", b"charset=utf-16", b"charset=koi8-r", b"PK\x03\x04", b"%PDF-", b"1e999999", b"-0", b"NaN", "Ã©â€™".encode(),
    "\ud83d".encode("utf-8", "surrogatepass"),
)  # fmt: skip


@functools.cache
def seeds() -> dict[str, list[bytes]]:
    """Good files by suffix."""
    page, plain = making.page(), "date 2025-07-25 Tallow buys ten tanks\n\n" + "\n\n".join(making.PARAGRAPHS)
    pages = [["Brask Post", "Tallow buys ten tanks", *making.PARAGRAPHS, f"Page {number} of 3"] for number in (1, 2, 3)]
    word = [making.paragraph(making.run("Tallow"), style="Title"), *(making.paragraph(making.run(text)) for text in making.PARAGRAPHS)]
    table = f"<w:tbl><w:tr><w:tc>{word[1]}</w:tc><w:tc>{word[2]}</w:tc></w:tr></w:tbl>"
    core = "<dcterms:created>2025-07-25T10:00:00Z</dcterms:created>"
    lines = "\n".join(json.dumps({"title": "T", "date": "2025-07-25", "text": text}) for text in making.PARAGRAPHS)
    box = b"From a@b.example Fri Jul 25\n" + making.mail() + b"\nFrom a@b.example Fri Jul 25\n" + making.mail("Second.\n")
    return {
        ".txt": [plain.encode(), plain.encode("cp1252"), plain.encode("utf-16")],
        ".md": [f"---\ntitle: A\ndate: 2025-07-25\n---\n# A\n\n{plain}".encode()],
        ".html": [page.encode(), making.page(charset="windows-1252").encode("cp1252"), page.encode("utf-16")],
        ".pdf": [making.pdf(pages, {"Title": "Tallow buys ten tanks", "CreationDate": "D:20250725101112Z"})],
        ".docx": [making.docx(*word, table, core=core)],
        ".json": [making.JSON.encode(), b'{"title": "T", "text": "They met."}'],
        ".jsonl": [lines.encode()],
        ".xml": [making.RSS.encode(), making.ATOM.encode()],
        ".eml": [making.mail(), making.mail(None, page), making.mail("They met.", page)],
        ".mbox": [box],
    }


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file that was cut, spliced, doubled, overwritten or renamed; several of these at once."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        match rng.randrange(9):
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + data[end:]
            case 2:
                data = data[:at] + rng.randbytes(rng.choice((1, 4, 64, 2_000))) + data[at:]
            case 3:
                data = data[:at] + rng.choice(TOKENS) * rng.choice((1, 1, 3, 500, 20_000)) + data[at:]
            case 4:
                data = data[:end] + data[at:end] * rng.choice((1, 2, 20)) + data[end:]
            case 5:
                block = bytearray(data)
                for _ in range(min(len(block), rng.choice((1, 5, 50)))):
                    block[rng.randrange(len(block))] = rng.randrange(256)
                data = bytes(block)
            case 6:
                data = data[:at] + rng.choice(rng.choice(list(seeds().values()))) + data[end:]
            case 7:
                data = rng.choice(rng.choice(list(seeds().values())))  # a wrong extension
            case _:
                data = data.replace(rng.choice((b" ", b"<", b">", b'"', b"\n", b"0")), rng.choice(TOKENS), rng.choice((1, 3, 50)))
        data = data[:3_000_000]
    return data


def mutated_inside(data: bytes, rng: random.Random) -> bytes:
    """As `mutated`, but within what a PDF or Word file holds compressed, which blind changes seldom reach."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        changed = rng.choice(list(parts))
        parts[changed] = mutated(parts[changed], rng)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, part in parts.items():
                archive.writestr(name, part)
        return stream.getvalue()
    content = b"BT /F1 11 Tf 14 TL 72 760 Td (Tallow buys) Tj T* (ten tanks for \x80 5) Tj T* [(a) -200 (b)] TJ (x) ' q 1 0 0 1 0 0 cm Q ET"
    return making.pdf([["x"], ["They met."]], stream=zlib.compress(mutated(content, rng)))


_OPENINGS = (
    (".txt", b""), (".md", b"---\n"), (".html", b"<p>"), (".json", b'{"text": "'), (".jsonl", b'{"text": "'), (".xml", b"<rss>"),
    (".eml", b"Subject: "), (".eml", b"A: b\n\n"), (".mbox", b"From a\nSubject: "), (".pdf", b"%PDF-1.7"), (".docx", b"PK\x03\x04"),
)  # fmt: skip


def _line(prefix: bytes, unit: bytes, size_mb: int) -> bytes:
    return prefix + unit * (size_mb * 1_000_000 // len(unit))


def extremes() -> list[tuple[str, str, Callable[[], bytes]]]:
    """Hostile files: name, suffix and content (made when it is asked for)."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    laughs = f'<!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}]>'
    outside = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    item = "<rss><channel><item><title>{}</title><description>They met.</description></item></channel></rss>"
    deep_page = "<div>" * 100_000 + making.BODY
    zeros = bytes(1_000_000)

    def bomb(size: int) -> bytes:
        packed, packer = bytearray(), zlib.compressobj(9)
        for _ in range(size // len(zeros)):
            packed += packer.compress(zeros)
        return bytes(packed + packer.flush())

    def zip_bomb() -> bytes:
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
            for _ in range(1_000):
                part.write(zeros)
        return stream.getvalue()

    def lying_zip() -> bytes:
        data = bytearray(zip_bomb())
        at = data.rfind(b"PK\x01\x02")
        data[at + 24 : at + 28] = (100).to_bytes(4, "little")  # the size that the directory claims
        return bytes(data)

    def nested(depth: int) -> str:
        return "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(depth))

    many = b"<" + b"a " * 5_000_000 + b">"
    return [
        ("100,000 lists", ".json", lambda: b"[" * 100_000),
        ("100,000 objects", ".json", lambda: b'{"a":' * 100_000),
        ("100,000 lists in a line", ".jsonl", lambda: b"[" * 100_000),
        ("6 million empty lists", ".json", lambda: b"[" + b"[]," * 6_000_000 + b"[]]"),
        ("6 million empty objects", ".json", lambda: b"[" + b"{}," * 6_000_000 + b"{}]"),
        ("a number of 5,000 digits", ".json", lambda: b'{"text": "a", "date": ' + b"9" * 5_000 + b"}"),
        ("100,000 divs", ".html", deep_page.encode),
        ("100,000 spans, flat", ".html", lambda: b"<p><span>a</span>" * 100_000),
        ("29,000 paragraphs", ".html", "".join(f"<p>They met {n} times in Brask.</p>" for n in range(29_000)).encode),
        ("29,000 nested links", ".html", lambda: b"<a href=x>b" * 29_000),
        ("5 million attributes", ".html", lambda: b"<p " + b"a b='c' " * 2_000_000 + b">x"),
        ("5 million attributes, joined", ".html", lambda: b"<p " + b"a='b'" * 3_000_000 + b">x"),
        ("billion laughs", ".html", (laughs + "<p>&l9;</p>" + making.BODY).encode),
        ("billion laughs", ".xml", (laughs + item.format("&l9;")).encode),
        ("quadratic entity", ".xml", (f'<!DOCTYPE rss [<!ENTITY a "{"x" * 100_000}">]>' + item.format("&a;" * 100_000)).encode),
        ("external entity", ".xml", (outside + item.format("&x;")).encode),
        ("external DTD", ".xml", ('<!DOCTYPE rss SYSTEM "http://127.0.0.1:9/x.dtd">' + item.format("T")).encode),
        ("100,000 elements deep", ".xml", lambda: b"<rss><channel><item>" + b"<a>" * 100_000),
        ("5 million elements", ".xml", lambda: b"<rss>" + b"<a/>" * 4_900_000),
        ("5 million tags in a field", ".xml", lambda: b"<rss><channel><item><description><![CDATA[" + b"<p>" * 6_000_000 + b"]]>"),
        ("billion laughs", ".docx", lambda: making.docx("&l9;", declaration=laughs.replace("rss", "w:document"))),
        ("external entity", ".docx", lambda: making.docx("&x;", declaration=outside.replace("rss", "w:document"))),
        ("a gigabyte", ".docx", zip_bomb),
        ("a gigabyte that claims 100 bytes", ".docx", lying_zip),
        ("a million paragraphs", ".docx", lambda: making.docx("<w:p/>" * 1_100_000)),
        ("100,000 parts deep", ".docx", lambda: making.docx("<w:p>" * 100_000)),
        ("a gigabyte in a stream", ".pdf", lambda: making.pdf([["a"]], stream=bomb(1_000_000_000))),
        ("a stream of 100 million numbers", ".pdf", lambda: making.pdf([["a"]], stream=zlib.compress(b"1 " * 9_000_000))),
        ("a page of 2 million operations", ".pdf", lambda: making.pdf([["a"]], stream=zlib.compress(b"BT (a) Tj ET " * 1_400_000))),
        ("a page of 190,000 operations", ".pdf", lambda: making.pdf([["a"]], stream=zlib.compress(b"BT /F1 9 Tf (a) Tj ET " * 45_000))),
        ("nested arrays", ".pdf", lambda: making.pdf([["a"]], stream=zlib.compress(b"[" * 1_000_000))),
        ("30 MB of objects", ".pdf", lambda: b"%PDF-1.7\n" + b"1 0 obj\n<</A 1 0 R>>\nendobj\n" * 900_000),
        ("40 MB of rubbish", ".pdf", lambda: b"%PDF-1.7\n" + random.Random(1).randbytes(40_000_000)),
        ("2,000 pages", ".pdf", lambda: making.pdf([["They met."]] * 2_000)),
        ("5,000 nested parts", ".eml", nested(5_000).encode),
        ("50 nested parts, 500,000 lines", ".eml", lambda: nested(50).encode() + b"word\n" * 500_000),
        ("100,000 parts", ".eml", lambda: b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\na\n" * 100_000),
        ("19 MB of header", ".eml", lambda: b"Subject: " + b"=?utf-8?q?a?= " * 1_300_000),
        ("19 MB of address", ".eml", lambda: b"From: " + b"(" * 19_000_000 + b"\n\nThey met."),
        ("19 MB of address, quoted", ".eml", lambda: b"From: " + b'"<,' * 6_000_000 + b"\n\nThey met."),
        ("many attributes", ".eml", lambda: b"Content-Type: text/plain; " + b"a=b; " * 3_000_000 + b"\n\nThey met."),
        ("many attributes of an HTML part", ".eml", lambda: b"Content-Type: text/html\n\n" + many),
        ("2 million messages", ".mbox", lambda: b"From a\n\n" * 2_000_000),
        *(
            (f"one line of {size} MB, {unit[:8]!r}", suffix, functools.partial(_line, prefix, unit, size))
            for size, units in ((19, (b"word ", b"\xd0\xcf", b"<", b"a" * 60 + b"\n", b"\n")), (50, (b"word ", b"\xd0\xcf")))
            for suffix, prefix in _OPENINGS
            for unit in units
        ),
    ]  # fmt: skip


def verdict(data: bytes, suffix: str, folder: str) -> tuple[str, float]:
    """What came of one file: `articles` or `error`; anything else is a finding. And the seconds of processor time."""
    path = Path(folder) / f"x{suffix}"
    path.write_bytes(data)
    start = time.process_time()  # what a busy machine takes besides is not the reader's
    count = 0
    try:
        for found in read(Source(id="x", path=path)):
            count += 1
            ok = found.text.strip() and found.text.encode() and not set("\r\x00") & set(found.text)
            if not ok or (found.title is not None and not found.text.startswith(found.title)):
                return f"a bad article: {found!r:.300}", time.process_time() - start
        outcome = "articles"
    except ArticleError as error:
        outcome = "articles, then an error" if count else "error"
        if not str(error).startswith(f"File {str(path)!r} "):
            outcome = f"an error that does not name the file: {error}"
    except BaseException as error:  # noqa: BLE001 - that is what it is for
        outcome = f"{type(error).__name__}: {error!s:.300}"
    seconds = time.process_time() - start
    return (f"took {seconds:.1f} s ({outcome})" if seconds > SLOWEST_S else outcome), seconds


class Part(NamedTuple):
    """What came of some mutations of one format."""

    outcomes: Counter[str]
    """How many of each."""
    slowest: tuple[float, int]
    """Seconds of processor time, and the number of the mutation."""
    findings: list[str]
    """What should not be."""
    peak_mb: int
    """Memory of the process."""


FINE = ("articles", "error", "articles, then an error")


def fuzz(suffix: str, numbers: Iterable[int], seed: int) -> Part:
    """Some mutations of one format, by their numbers."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    outcomes, slowest, findings = Counter(), (0.0, -1), []
    with tempfile.TemporaryDirectory(prefix="readers-fuzz-") as folder:
        for number in numbers:
            outcome, seconds = verdict(mutation(suffix, number, seed), suffix, folder)
            outcomes[outcome if outcome in FINE else "finding"] += 1
            slowest = max(slowest, (seconds, number))
            if outcome not in FINE:
                findings.append(f"{suffix} --seed {seed}, number {number}: {outcome}")
    return Part(outcomes, slowest, findings, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def mutation(suffix: str, number: int, seed: int) -> bytes:
    """The file with this number: the same each time."""
    rng = random.Random(f"{seed}/{suffix}/{number}")
    data = rng.choice(seeds()[suffix])
    inside = suffix in (".pdf", ".docx") and rng.random() < 0.5
    return mutated_inside(data, rng) if inside else mutated(data, rng)


def extreme(index: int) -> tuple[str, float, int, int]:
    """The outcome of one hostile file, its seconds and the peak of memory in MB."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _, suffix, make = extremes()[index]
    data = make()
    with tempfile.TemporaryDirectory(prefix="readers-fuzz-") as folder:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome, seconds = verdict(data, suffix, folder)
        return outcome, seconds, len(data), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024


def main() -> bool:
    """Run it and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=10_000, help="mutations of each format")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="one suffix")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--extremes", action="store_true", help="the hostile files too")
    options = parser.parse_args()
    found = []
    suffixes = [options.only] if options.only else list(seeds())
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for suffix in suffixes:
            start = time.perf_counter()
            parts = [range(job, options.each, options.jobs * 4) for job in range(options.jobs * 4)]
            results = list(pool.map(fuzz, *zip(*((suffix, part, options.seed) for part in parts), strict=True)))
            total = sum((part.outcomes for part in results), Counter[str]())
            slowest = max(part.slowest for part in results)
            found += [line for part in results for line in part.findings]
            said = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(total.items()))
            peak = max(part.peak_mb for part in results)
            print(
                f"{suffix:7}{said}; slowest {slowest[0]:.2f} s (number {slowest[1]}), peak {peak} MB, {time.perf_counter() - start:.0f} s",
                flush=True,
            )
    if options.extremes:
        cases = [(index, name, suffix) for index, (name, suffix, _) in enumerate(extremes()) if options.only in (None, suffix)]
        for index, name, suffix in cases:  # each in a process of its own, for its memory's sake
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
                outcome, seconds, size, peak = pool.submit(extreme, index).result()
            print(f"{suffix:7}{name:42}{size / 1e6:6.1f} MB {seconds:6.2f} s {peak:6} MB more  {outcome}", flush=True)
            found += [] if outcome in FINE else [f"{suffix} {name}: {outcome}"]
    print(*found, sep="\n")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
