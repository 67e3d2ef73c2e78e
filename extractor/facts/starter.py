"""The first version of a user's own fact type: a file that loads as it is, and that shows by example what each part is for.

In: a name. Out: Python source. Floor: facts.
Before changing it: a test loads the file, checks its example and asks for it; who follows it learns our habits, good and bad.
"""

import keyword
import re
from pathlib import Path

from extractor.errors import UsageError
from extractor.facts.catalog import available
from extractor.facts.fact import Fact, registered_name

_TAKEN = frozenset({"ClassVar", "Example", "Fact", "Field", "Literal", "Party", "Quantity", "Status", "Verbatim", "When"})  # in the file
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*")

_SOURCE = '''"""@Class@: one kind of fact. Every text in the class below is read by the model; what is for people stands up here.

Try it:    extractor prompt article.txt --schema @file@         what would be sent
           extractor run articles/ --schema @file@ --out @name@-run
Check it:  extractor schemas @file@                             loads it, and checks it as a run would
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from extractor import Example, Fact, Party, Quantity, Verbatim, When

Status = Literal["announced", "done", "cancelled", "unspecified"]  # closed lists keep answers comparable; give each a way out


class @Class@(Fact):
    """What counts as a record, in a sentence: a party that does something to, or with, another.

    What does not count, and when two are one: plans that nobody announced make no record; the same act told twice is one record, its most
    specific statement gives the values, the others are evidence.
    """

    version: ClassVar[int] = 1  # raise it with every change that the model sees: articles are then asked again

    # parties: names are looked up in the article, states get their ISO code
    actors: list[Party] = Field(description="Who does it. Empty when nobody is named.")
    others: list[Party] = Field(default_factory=list, description="To or with whom; empty when the text does not say.")
    # Verbatim: words that must stand in one of the record's quotes
    action: Verbatim = Field(description="What is done, as the shortest verbatim words.")
    # numbers, sums (Money) and dates keep the words they came from; a bare int or date is refused, since it could not be checked
    quantity: Quantity | None = Field(default=None, description="How many or how much of it; null when the text does not say.")
    since: When | None = Field(default=None, description="From when it holds; null when the text does not say.")
    status: Status = Field(default="unspecified", description="announced: said or decided. done: it has happened. cancelled: as said.")


# worked examples go into the prompt, and are checked like a model's answer before anything is asked: each quote must stand in its text
@Class@.examples = (
    Example(
        text=(
            "Patrol boats for Cape Verde\\n\\n"
            "Lisbon, 5 March. Portugal will lend 13 patrol boats to Cape Verde from 20 April, the defence ministry in Lisbon said. "
            "Nothing was said about crews."
        ),
        published=date(2026, 3, 5),
        facts=(
            @Class@.model_validate(
                {
                    "evidence": ["Portugal will lend 13 patrol boats to Cape Verde from 20 April, the defence ministry in Lisbon said."],
                    "attribution": {"speaker": "the defence ministry", "certainty": "asserted"},
                    "is_background": False,
                    "actors": [{"name": "Portugal", "kind": "state"}],
                    "others": [{"name": "Cape Verde", "kind": "state"}],
                    "action": "lend 13 patrol boats",
                    "quantity": {"as_written": "13 patrol boats", "minimum": 13, "maximum": 13, "unit": "patrol boats"},
                    "since": {"as_written": "from 20 April", "earliest": "2026-04-20", "latest": None},
                    "status": "announced",
                },
            ),
        ),
    ),
)
'''


def write_starter(name: str, path: Path | None = None) -> Path:
    """Writes a starter file for a fact type called `name`, in any way of writing it (`Sanction`, `port-closure`, `port_closure`).

    Args:
        name: Letters and digits, words parted by capitals, `_` or `-`.
        path: The file; None is the registered name with `.py`, in the working folder.

    Returns:
        The file that was written.

    Raises:
        UsageError: The name is no name or is taken, or the file exists already or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a fact type; expected letters and digits such as 'Sanction' or 'port_closure'.")
    class_name = "".join(word[:1].upper() + word[1:] for word in re.split(r"[_-]", name))
    registered = registered_name(type(class_name, (Fact,), {"__doc__": "", "__module__": __name__}))
    if registered in available() or class_name in _TAKEN or keyword.iskeyword(class_name):
        raise UsageError(f"The name {registered!r} is taken, by another fact type or a word of Python's or ours. Choose another.")
    path = path or Path(f"{registered}.py")
    source = _SOURCE.replace("@Class@", class_name).replace("@name@", registered).replace("@file@", str(path))
    try:
        with path.open("x", encoding="utf-8") as file:  # never over a file of the user's
            file.write(source)
    except FileExistsError:
        raise UsageError(f"{str(path)!r} exists already and is left as it is. Name another file with -o.") from None
    except OSError as error:
        raise UsageError(f"{str(path)!r} cannot be written: {error.strerror or error}. Name another file with -o.") from error
    return path
