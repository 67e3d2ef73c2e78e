"""What is sent: an article and fact types become a prompt and the shape of its answer; bad facts become a repair prompt.

In: articles, fact types, raw items with their issues. Out: `Prompt` and the answer's Pydantic model. Floor: llm.
"""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, create_model

from extractor.facts.fact import Fact
from extractor.records import CallKind


def envelope(kind: CallKind, types: Mapping[str, type[Fact]]) -> type[BaseModel]:
    """The shape of an answer: a closed object with one array per fact type, named by its registered name.

    Args:
        kind: `extract` gives arrays of facts; `repair` arrays of `{"item": n, "fact": … or null}`, n as numbered in the prompt.
        types: Registered name to class, in catalogue order.
    """
    closed = ConfigDict(extra="forbid")
    if kind == "extract":
        doc = "Every fact that the article states, one array per type; an empty array is a right answer."
        return create_model("Facts", __config__=closed, __doc__=doc, **{name: (list[fact], ...) for name, fact in types.items()})  # type: ignore[call-overload, no-any-return]
    repairs = {
        name: create_model(
            f"{fact.__name__}Repair",
            __config__=closed,
            __doc__="One corrected record, or null when the article does not support it.",
            item=(int, Field(description="The number of the record in the request.")),
            fact=(fact | None, Field(description="The whole corrected record; null to withdraw it.")),
        )
        for name, fact in types.items()
    }
    doc = "The corrected records, one entry for each record of the request."
    return create_model("Repairs", __config__=closed, __doc__=doc, **{name: (list[repair], ...) for name, repair in repairs.items()})  # type: ignore[call-overload, no-any-return]
