"""The command: arguments in, exit code out; no logic of its own.

In: argv. Out: text on stdout (results) and stderr (talk), an exit code. Floor: cli.
Before changing it: nothing heavy is imported at the top: `--help` must not pay for openai, instructor, pydantic or rich.
"""

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NoReturn, TextIO, TypeAlias

_EXIT_CODES = """exit codes:
  0  all done (quarantined facts are no failure)
  1  a bug of ours
  2  usage or settings, before any call
  3  done, but some articles failed, are partial or could not be read
  4  stopped and resumable: a limit, an endpoint that refuses everything, a full disk
  5  done, but the cassettes did not hold some requests
  130, 143  interrupted, resumable: the same command goes on"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments without the program's name; None takes the process's own.

    Returns:
        The exit code, as `--help` lists them.
    """
    parser = _parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        getattr(arguments, "command", parser).refuse(unknown)
    if arguments.version:
        from importlib.metadata import version

        print(f"extractor {version('grounded-fact-extractor')}")
        return 0
    if "act" not in arguments:
        parser.print_help(sys.stderr)
        return 2
    try:
        code: int = arguments.act(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read stdout (`| head`) has had enough: that is no failure, and Python must not complain at exit either
        _let_go(sys.stdout)
        return 0
    except KeyboardInterrupt:
        print("Interrupted. The same command goes on.", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - the last door: what comes here is told in one line
        return _failed(error)
    return code


def _let_go(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _failed(error: Exception) -> int:
    from extractor.errors import EndpointError, ExtractorError, LedgerError, LimitReached

    if not isinstance(error, ExtractorError):
        import traceback

        traceback.print_exc()
        print(f"extractor: this is a bug of ours, please report it: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"extractor: {error}", file=sys.stderr)
    return 4 if isinstance(error, (EndpointError, LedgerError, LimitReached)) else 2


class _Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in a line or two: its whole usage would hide it."""

    def error(self, message: str) -> NoReturn:
        """Ends with code 2."""
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` lists what there is.\n")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """Ends with code 2 over arguments that no option and no place takes: the first option among them, with the one that is near."""
        option = next((word.partition("=")[0] for word in unknown if word.startswith("-")), None)
        if option is None:
            self.error(f"{unknown[0]!r} is one argument too many")
        near = difflib.get_close_matches(option, self._option_string_actions, n=1)
        self.error(f"no option {option}" + (f"; did you mean {near[0]}?" if near else ""))


def _parser() -> _Parser:
    parser = _Parser(
        prog="extractor",
        description="Structured facts out of news articles, each with the words that prove it.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_run(commands)
    _add_looking(commands)
    _add_asked(commands)
    return parser


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"  # noqa: SLF001 - argparse has no public name for it


def _add_run(commands: Commands) -> None:
    run = _command(commands, "run", "extract facts from articles into a run folder", _run)
    _add_input(run)
    run.add_argument("--out", type=Path, metavar="RUN_DIR", help="where to remember (default: extractor-run); run again to go on")
    run.add_argument("--model", metavar="M", help="as the endpoint knows it (default: gpt-5-mini)")
    asked = run.add_mutually_exclusive_group()
    asked.add_argument("--base-url", metavar="URL", help="an OpenAI-compatible endpoint, such as http://127.0.0.1:11434/v1; needs no key")
    asked.add_argument("--local", type=Path, metavar="FILE.gguf", help="a model file, asked on this machine; needs neither key nor network")
    run.add_argument(
        "--context", type=int, metavar="N", help="tokens that a request to a local model and its answer may have (default: 24576)"
    )
    run.add_argument("--threads", type=int, metavar="N", help="processor threads of a local model (default: half of the processors)")
    tapes = run.add_mutually_exclusive_group()
    tapes.add_argument("--record", type=Path, metavar="DIR", help="record every request and answer into cassettes; asks everything anew")
    tapes.add_argument("--replay", type=Path, metavar="DIR", help="answer from cassettes: no key, no network")
    run.add_argument("--concurrency", type=int, metavar="N", help="requests in flight at most (default: 16; a local model: 1 to 4)")
    run.add_argument("--timeout", type=float, metavar="S", help="seconds for one request (default: 120; a local model: 1800)")
    run.add_argument("--repairs", type=int, metavar="N", help="rounds in which facts that fail a check go back (default: 2)")
    run.add_argument("--rpm", type=int, metavar="N", help="requests in any minute at most")
    run.add_argument("--tpm", type=int, metavar="N", help="tokens in any minute at most, estimated before and corrected after each request")
    run.add_argument("--max-cost", type=float, metavar="USD", help="US dollars that this run may cost; reserved before each request")
    run.add_argument("--price", type=_price, metavar="IN,OUT", help="US dollars for a million tokens, for a model whose price is not known")
    run.add_argument("--limit", type=int, metavar="N", help="ask at most N articles, then stop")
    run.add_argument("--retry-failed", action="store_true", help="ask articles again that are remembered as failed or partial")
    run.add_argument(
        "--engine", choices=("asyncio", "ray"), default="asyncio", help="where articles are asked: here, or by the workers of a Ray cluster"
    )
    run.add_argument("--workers", type=int, metavar="N", help="processes of the cluster (default: as many as --concurrency needs)")
    run.add_argument("--batch", action="store_true", help="ask through the provider's batches: half the price, answers within a day")
    run.add_argument("--dry-run", action="store_true", help="say how many articles, requests, tokens and dollars it would be; send nothing")
    run.add_argument("--quiet", action="store_true", help="no progress; failures are still named")


def _add_looking(commands: Commands) -> None:
    status = _command(commands, "status", "what is done, what failed and why, tokens and cost", _status)
    _add_run_dir(status)
    status.add_argument("--all", action="store_true", help="name every article that failed, not a few of each cause")
    status.add_argument("--json", action="store_true", help="as one JSON object, every failure included")
    status.add_argument("--verify", action="store_true", help="derive every fingerprint anew and look up every quote; reads everything")

    show = _command(commands, "show", "the facts as a table", _show)
    _add_run_dir(show)
    show.add_argument("--by", choices=("article", "type"), default="article", help="what to group by (default: article)")
    show.add_argument("--schema", action="append", default=[], metavar="NAME", help="only this fact type; may be given more than once")
    _add_verdict(show)
    show.add_argument("--json", action="store_true", help="one JSON object a line")

    export = _command(commands, "export", "write the facts as JSONL, CSV, Parquet or SQLite", _export)
    _add_run_dir(export)
    export.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="its suffix says how: .jsonl .csv .parquet .sqlite"
    )
    export.add_argument("--schema", action="append", default=[], metavar="NAME", help="only this fact type; may be given more than once")
    _add_verdict(export)
    export.add_argument("--decisions", type=Path, metavar="FILE", help="the review page's export: rejected facts out, edits in")

    review = _command(commands, "review", "one HTML page to review the facts in; its decisions are gold for evaluate", _review)
    _add_run_dir(review)
    review.add_argument("-o", "--output", type=Path, default=Path("review.html"), metavar="FILE", help="where to (default: review.html)")

    evaluate = _command(commands, "evaluate", "how good a run is against gold labels", _evaluate)
    _add_run_dir(evaluate)
    evaluate.add_argument("--gold", type=Path, required=True, metavar="PATH", help="a JSONL file or a folder of them; see docs/gold.md")
    evaluate.add_argument("--compare", type=Path, metavar="RUN_DIR", help="another run on the same gold: what changed since it")
    evaluate.add_argument("--schema", action="append", default=[], metavar="NAME", help="only this fact type; may be given more than once")
    evaluate.add_argument("--worst", type=int, default=10, metavar="N", help="disagreements to print (default: 10)")
    evaluate.add_argument("--html", type=Path, metavar="FILE", help="also write one HTML page")
    evaluate.add_argument("--json", action="store_true", help="as one JSON object")


def _add_asked(commands: Commands) -> None:
    schemas = _command(commands, "schemas", "list the fact types, or show one", _schemas)
    schemas.add_argument("name", nargs="?", metavar="NAME", help="registered name or FILE.py:CLASS")
    schemas.add_argument("--json", action="store_true", help="the JSON Schema alone")

    new = _command(commands, "new-schema", "write a starter file for a fact type of your own", _new_schema)
    new.add_argument("name", metavar="NAME", help="such as Sanction or port-closure")
    new.add_argument("-o", "--output", type=Path, metavar="FILE.py", help="where to (default: the name in snake case); never overwritten")

    prompt = _command(commands, "prompt", "exactly what would be sent, with its size; sends nothing", _prompt)
    _add_input(prompt)
    prompt.add_argument("--model", metavar="M", help="as the endpoint knows it (default: gpt-5-mini)")
    prompt.add_argument("--local", type=Path, metavar="FILE.gguf", help="as this model file would be asked: it is told the schema in words")
    prompt.add_argument("--json", action="store_true", help="the request bodies, one a line")


def _command(commands: Commands, name: str, what: str, act: object) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    command.set_defaults(act=act, command=command)
    return command


def _add_input(command: argparse.ArgumentParser) -> None:
    command.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, quoted globs, or - for standard input")
    command.add_argument(
        "--schema",
        action="append",
        default=[],
        metavar="NAME|FILE.py:CLASS",
        help="a fact type; may be given more than once (default: the three)",
    )
    command.add_argument("--published", type=_day, metavar="DATE", help="publication date of every article, YYYY-MM-DD")


def _add_run_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument("run_dir", type=Path, metavar="RUN_DIR", help="a folder made by `extractor run`")


def _add_verdict(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--verdict",
        choices=("believed", "kept", "repaired", "quarantined", "merged", "all"),
        default="believed",
        help="which facts (default: believed, that is kept and repaired)",
    )


def _verdicts(choice: str) -> tuple[str, ...]:
    groups = {"believed": ("kept", "repaired"), "all": ("kept", "repaired", "quarantined", "merged")}
    return groups.get(choice, (choice,))


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python also reads weeks and dates without hyphens
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it as YYYY-MM-DD")
    return day


def _price(text: str) -> tuple[float, float]:
    try:
        given_input, given_output = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no pair of prices; write IN,OUT, such as 0.25,2.00") from None
    return given_input, given_output


def _run(arguments: argparse.Namespace) -> int:
    from extractor.results import describe
    from extractor.results.progress import Progress
    from extractor.runs import folder
    from extractor.settings import DEFAULT_OUT, resolve

    options = folder.RunOptions(
        paths=tuple(arguments.paths),
        fact_types=tuple(arguments.schema),
        out=arguments.out or Path(DEFAULT_OUT),
        published=arguments.published,
        record=arguments.record,
        replay=arguments.replay,
        limit=arguments.limit,
        retry_failed=arguments.retry_failed,
        engine=arguments.engine,
        workers=arguments.workers,
        batch=arguments.batch,
    )
    settings = resolve(
        model=arguments.model,
        base_url=arguments.base_url,
        local=arguments.local,
        local_context=arguments.context,
        local_threads=arguments.threads,
        concurrency=arguments.concurrency,
        timeout_s=arguments.timeout,
        repairs=arguments.repairs,
        rpm=arguments.rpm,
        tpm=arguments.tpm,
        max_cost_usd=arguments.max_cost,
        price_usd=arguments.price,
    )
    if arguments.dry_run:
        print(describe.estimate_text(folder.dry_run(options, settings)))
        return 0
    code = 4
    try:
        with Progress(quiet=arguments.quiet) as progress:
            report = folder.run(options, settings, progress=progress, notice=progress.say)
            code = report.exit_code
            progress.end(report)
        if report.stopped:
            print(f"extractor: {report.stopped}", file=sys.stderr)
        elif not arguments.quiet:
            print(f"Facts: {options.out / 'facts.jsonl'}   Look: extractor show {options.out}", file=sys.stderr)
    except BrokenPipeError:  # whoever read stderr has gone: that ended the run as a limit does, and is no success
        _let_go(sys.stderr)
    return code


def _status(arguments: argparse.Namespace) -> int:
    from extractor.results import show
    from extractor.results.status import status
    from extractor.runs.ledger import Ledger

    with Ledger(arguments.run_dir, read_only=True) as ledger, ledger.snapshot():
        summary = ledger.summary()
        if arguments.verify:
            summary["wrong"] = ledger.verify()
        if arguments.json:
            import json

            print(json.dumps({**summary, "failures": list(ledger.failures())}, ensure_ascii=False, indent=2))
        else:
            out = show.console(to_terminal=sys.stdout.isatty())
            status(out, summary, ledger.failures(), folder=str(arguments.run_dir), everything=arguments.all)
    return 1 if summary.get("wrong") else 0


def _show(arguments: argparse.Namespace) -> int:
    from extractor.results import show
    from extractor.runs.ledger import Ledger

    with Ledger(arguments.run_dir, read_only=True) as ledger:
        verdicts = _verdicts(arguments.verdict)
        if arguments.by == "type":
            names = arguments.schema or sorted(entry["name"] for entry in ledger.fact_types())
            groups = [[name] for name in dict.fromkeys(names)]
        else:
            groups = [arguments.schema]
        rows = (row for group in groups for row in ledger.rows(verdicts, group))
        if arguments.json:
            for line in show.as_json(rows):
                print(line)
            return 0
        count = show.facts(show.console(to_terminal=sys.stdout.isatty()), rows, group=arguments.by)
        if sys.stdout.isatty() or not count:  # under `less` it would stand in the middle of the page
            print(show.told(count, arguments.verdict, arguments.schema, ledger.summary()["facts"]), file=sys.stderr)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from extractor.results.decisions import Decisions
    from extractor.results.export import export
    from extractor.results.show import counted
    from extractor.runs.ledger import Ledger

    decisions = Decisions(arguments.decisions) if arguments.decisions else None
    with Ledger(arguments.run_dir, read_only=True) as ledger:
        count = export(ledger, arguments.output, fact_types=arguments.schema, verdicts=_verdicts(arguments.verdict), decisions=decisions)
    print(f"{counted(count, 'fact')} in {arguments.output}", file=sys.stderr)
    if decisions is not None:
        for line in decisions.told():
            print(line, file=sys.stderr)
    return 0


def _review(arguments: argparse.Namespace) -> int:
    from extractor.results.review import review, told
    from extractor.runs.ledger import Ledger

    with Ledger(arguments.run_dir, read_only=True) as ledger:
        counts = review(ledger, arguments.output)
    print(f"{told(counts)}: open {arguments.output} in a browser.", file=sys.stderr)
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from extractor.errors import UsageError
    from extractor.results import show
    from extractor.results.evaluation import show as evaluation_show
    from extractor.results.evaluation.evaluate import evaluate, read_run
    from extractor.results.evaluation.gold import read_gold
    from extractor.results.evaluation.page import page

    gold = read_gold(arguments.gold)
    if arguments.schema:
        gold = gold.only(arguments.schema)
    run = read_run(arguments.run_dir, arguments.schema)
    other = read_run(arguments.compare, arguments.schema) if arguments.compare else None
    found = evaluate(run.rows, run.articles, gold, about=run.about, types=run.types, other=other)
    if arguments.html:
        try:
            arguments.html.write_text(page(found), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(f"{str(arguments.html)!r} cannot be written: {error.strerror or error}. Name another file.") from error
        print(f"Written: {arguments.html}; open it in a browser.", file=sys.stderr)
    if arguments.json:
        print(found.model_dump_json(indent=2))
    else:
        evaluation_show.show(show.console(to_terminal=sys.stdout.isatty()), found, worst=arguments.worst)
    return 0


def _schemas(arguments: argparse.Namespace) -> int:
    import json

    from extractor.evidence.validate import check_examples
    from extractor.facts import catalog
    from extractor.results import describe

    if not arguments.name:
        for name, fact_type in catalog.load(catalog.available()).items():
            print(describe.type_line(name, fact_type))
        return 0
    loaded = catalog.load([arguments.name])
    check_examples(loaded)
    ((name, fact_type),) = loaded.items()
    print(
        json.dumps(fact_type.model_json_schema(), indent=2, ensure_ascii=False)
        if arguments.json
        else describe.type_page(name, fact_type, arguments.name)
    )
    return 0


def _new_schema(arguments: argparse.Namespace) -> int:
    from extractor.facts.starter import write_starter

    path = write_starter(arguments.name, arguments.output)
    print(f"{path}: edit it, then look with `extractor schemas {path}` and ask with --schema {path}.", file=sys.stderr)
    return 0


def _prompt(arguments: argparse.Namespace) -> int:
    import json

    from extractor.results import describe
    from extractor.runs import folder
    from extractor.settings import resolve

    options = folder.RunOptions(paths=tuple(arguments.paths), fact_types=tuple(arguments.schema), published=arguments.published)
    for request in folder.requests(options, resolve(model=arguments.model, local=arguments.local)):
        print(json.dumps(request.body, ensure_ascii=False) if arguments.json else describe.request_page(request.call, request.body))
    return 0
