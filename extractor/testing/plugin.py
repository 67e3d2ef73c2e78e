"""The pytest plugin: recorded answers for the tests of a service, which fail on a request that is not recorded and on an answer not used.

In: a folder of cassettes. Out: the fixture `extractor_cassettes` and the option `--extractor-record`. Floor: testing; pytest loads it by
its entry point wherever this package is installed.
Before changing it: every test run of every project that has this package imports it, so it imports pytest alone.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from extractor.api import Extractor

_PLAYED = pytest.StashKey[list["Extractor"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--extractor-record`: ask the endpoint of the environment, and record."""
    parser.getgroup("extractor").addoption(
        "--extractor-record", action="store_true", help="record the cassettes of extractor_cassettes anew, from the endpoint that is set"
    )


@pytest.fixture
def extractor_cassettes(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Makes an `Extractor` that answers out of a folder of cassettes: no key, no network.

    Called with the folder (relative to the test's file) and what else an `Extractor` takes. The test fails when a request is not recorded,
    also where the code under test swallows the `CassetteMiss`, and when a recorded answer was not used. With `--extractor-record` the
    endpoint is asked and the folder written.
    """
    from extractor.api import Extractor

    made: list[Extractor] = []
    request.node.stash[_PLAYED] = made
    how = "record" if request.config.getoption("--extractor-record") else "replay"

    def extractor(folder: str | Path, fact_types: Sequence[Any] = (), **options: Any) -> Extractor:
        options[how] = request.path.parent / folder
        made.append(Extractor(fact_types, **options))
        return made[-1]

    yield extractor
    for one in made:
        one.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fails a test that passed, when its cassettes were not played as recorded."""
    yield
    for extractor in item.stash.get(_PLAYED, []):
        memory, missed = extractor._session.memory, extractor._session.missed  # noqa: SLF001 - no service needs to see it
        if missed:
            pytest.fail(f"Not recorded: a request about {', '.join(map(repr, sorted(missed)))}. Record again with --extractor-record.")
        if memory.cassettes and not memory.ask_anew and (unplayed := memory.cassettes.unplayed()):
            left = [f"{name!r} (interactions {', '.join(map(str, numbers))})" for name, numbers in unplayed.interactions.items()]
            pytest.fail(f"Recorded and not asked for: {', '.join([*left, *map(repr, unplayed.files)])}. Record again, or delete them.")
