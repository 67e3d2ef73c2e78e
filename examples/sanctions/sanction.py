"""Sanction: a fact type of one's own, in full.

`--schema examples/sanctions/sanction.py:Sanction` uses it from the command line, `Extractor([Sanction])` from Python.
Docstring and descriptions are read by the model; what concerns people alone stands in comments.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from extractor import Example, Fact, Money, Party, Quantity, Verbatim, When

# The kinds of the Global Sanctions Data Base (https://www.globalsanctionsdatabase.com: arms, military assistance, trade, financial, travel),
# with the financial ones split as regulations word them, and transport on its own.
Measure = Literal[
    "asset_freeze", "travel_ban", "arms_embargo", "military_assistance", "trade", "price_cap", "finance", "transport", "other"
]
Step = Literal["proposed", "decided", "in_force", "extended", "eased", "suspended", "lifted", "rejected"]


class Sanction(Fact):
    """A restrictive measure that a state or body takes against another party for political reasons, or gives up.

    Demands for sanctions and threats of them make no record, nor do court fines, tariffs to protect an industry, or the seizure of one cargo.
    One decision against the same targets is one record, whatever the number of its measures; each further step that the text tells
    ("were extended", "has lifted") is a record of its own.
    Joint decisions are one record with several parties; a figure is never copied to each of them.
    """

    version: ClassVar[int] = 1

    imposed_by: list[Party] = Field(description="Who takes the measure or gives it up. Empty when nobody is named.")
    targets: list[Party] = Field(
        description=(
            "Whom it is aimed at. Listed persons or firms that are not named are one party with name null, and on_behalf_of their state "
            "where the text ties them to it."
        ),
    )
    measures: list[Measure] = Field(
        description=(
            "asset_freeze: accounts and property. travel_ban: entry barred. arms_embargo. military_assistance: training and advice. "
            "trade: imports or exports. price_cap: trade allowed below a price. finance: loans, insurance, payment systems. "
            "transport: ports, airspace. other: the rest, or not said."
        ),
    )
    measure_as_written: Verbatim = Field(description="The measure, as the shortest verbatim words: 'frozen the accounts'.")
    step: Step = Field(
        description=(
            "The furthest step that the text states. proposed: put forward, not yet decided. decided: adopted, not yet in force as far as "
            "the text says. in_force: it already applies. extended, eased, suspended, lifted, rejected: as said."
        ),
    )
    grounds: Verbatim | None = Field(default=None, description="Why, as the shortest verbatim words; null when not said.")
    listed: Quantity | None = Field(default=None, description="How many persons, firms or ships are put on the list or taken off it.")
    amount: Money | None = Field(default=None, description="The sum concerned: what is frozen, released or capped. Never a share of trade.")
    decided_on: When | None = Field(default=None, description="When this step was decided.")
    holds_from: When | None = Field(default=None, description="From when it applies.")
    holds_until: When | None = Field(default=None, description="Until when it applies, if that is said.")


Sanction.examples = (
    Example(
        text=(
            "Chile has frozen the accounts of 24 Nicaraguan officials and barred them from entry over the arrest of journalists, foreign "
            "minister Laura Vidal said on Thursday. The measures hold from 1 June; about $80 million is concerned.\n\n"
            "Kenya and Ghana have lifted their joint ban on gold from Mali. Togo threatens to close its ports to Mali unless elections are held."
        ),
        published=date(2026, 5, 29),
        facts=(
            Sanction.model_validate(
                {
                    "evidence": [
                        "Chile has frozen the accounts of 24 Nicaraguan officials and barred them from entry over the arrest of journalists, "
                        "foreign minister Laura Vidal said on Thursday.",
                        "The measures hold from 1 June; about $80 million is concerned.",
                    ],
                    "attribution": {"speaker": "Laura Vidal", "certainty": "asserted"},
                    "is_background": False,
                    "imposed_by": [{"name": "Chile", "kind": "state"}],
                    "targets": [{"name": None, "kind": "person", "on_behalf_of": "Nicaraguan"}],
                    "measures": ["asset_freeze", "travel_ban"],
                    "measure_as_written": "frozen the accounts of 24 Nicaraguan officials and barred them from entry",
                    "step": "decided",
                    "grounds": "the arrest of journalists",
                    "listed": {"as_written": "24", "minimum": 24, "maximum": 24},
                    "amount": {
                        "as_written": "about $80 million",
                        "minimum": "80000000",
                        "maximum": "80000000",
                        "currency": "USD",
                        "approximate": True,
                    },
                    "decided_on": {"as_written": "on Thursday", "earliest": "2026-05-28", "latest": "2026-05-28"},
                    "holds_from": {"as_written": "from 1 June", "earliest": "2026-06-01", "latest": "2026-06-01"},
                }
            ),
            Sanction.model_validate(
                {
                    "evidence": ["Kenya and Ghana have lifted their joint ban on gold from Mali."],
                    "attribution": {"certainty": "asserted"},
                    "is_background": False,
                    "imposed_by": [{"name": "Kenya", "kind": "state"}, {"name": "Ghana", "kind": "state"}],
                    "targets": [{"name": "Mali", "kind": "state"}],
                    "measures": ["trade"],
                    "measure_as_written": "ban on gold from Mali",
                    "step": "lifted",
                }
            ),
        ),
    ),
)
