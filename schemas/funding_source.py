"""FundingSource: third-party money, from a funder towards a purpose.

Terms: IATI (transaction types: 2/11 commitment, 12/13 pledge, 3 disbursement, 4 expenditure, 6 repayment, 7 reimbursement,
10 guarantee; provider-org, receiver-org), OECD DAC finance types (110, 421, 423, 510, 6xx), Kiel Ukraine Support Tracker
(allocation; military, financial, humanitarian). Docstrings and descriptions below are read by the model: sources stand here.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from extractor.facts.fact import Example, Fact, Verbatim
from extractor.facts.money import Money
from extractor.facts.party import Party
from extractor.facts.quantity import Quantity
from extractor.facts.when import When

CommitmentLevel = Literal[
    "sought", "offered", "pledge", "commitment", "allocation", "disbursement", "expenditure", "repayment", "reimbursement", "guarantee",
    "withdrawn", "refused",
]  # fmt: skip
Instrument = Literal["grant", "loan", "guarantee", "equity", "bond", "debt_relief", "unspecified"]
AidType = Literal["military", "financial", "humanitarian", "other"]


class FundingSource(Fact):
    """Money that a third party gives, promises, seeks or refuses for a purpose: aid, loans, guarantees, a payer for somebody else's weapons.

    A record needs at least one of: an amount, a funded quantity, a named purpose. Goods in kind (food, tents, weapons) are none, money for
    goods is. A buyer's own price is none, nor are budgets,
    revenues, damages or a state's own military spending. Asking for money is a record with level sought.
    Joint funders with one undivided figure are one record with several funders; separate figures are separate records, and a figure is
    never copied to each member. A total is a record of its own only if it has parties of its own; a part names it in part_of.
    Nothing is computed: no remainder, no sum, no share.
    The same funder, purpose and level told twice are one record: the most specific statement gives the values, the others are evidence.
    """

    version: ClassVar[int] = 1

    funders: list[Party] = Field(description="Who gives, or is asked to. Empty when nobody is named.")
    recipients: list[Party] = Field(default_factory=list, description="Who gets the money. Empty where only the purpose is said.")
    beneficiary: Party | None = Field(default=None, description="Who gains by it, if the text says so; it may be the recipient again.")
    purpose: Verbatim | None = Field(description="What the money is for, as the shortest verbatim words; null when not said.")
    amount: Money | None = Field(default=None, description="The sum; null when no sum of money is given. Never worked out from things.")
    funded_quantity: Quantity | None = Field(
        default=None,
        description="Funds measured in things: 'two' of 'funds for two systems'; otherwise null.",
    )
    part_of: Verbatim | None = Field(default=None, description="The words for the total or package this is a part of; otherwise null.")
    commitment_level: CommitmentLevel = Field(
        description=(
            "sought: asked for. offered: subject to something. pledge: future tense without a legal act ('will contribute', 'plans to'). "
            "commitment: secured, approved, signed, decided, or said in the present tense ('are funding'). allocation: set aside for a "
            "named package. disbursement: paid over. expenditure: spent ('has financed'). repayment, reimbursement, guarantee, withdrawn, "
            "refused: as said."
        ),
    )
    instrument: Instrument = Field(default="unspecified", description="The form of the money; unspecified when the text does not say.")
    aid_type: AidType = Field(
        description="military: for weapons or armed forces. financial: for a budget or economy. humanitarian: for relief. other: the rest.",
    )
    channel: Verbatim | None = Field(default=None, description="The fund, facility or scheme it goes through, verbatim; otherwise null.")
    announced: When | None = Field(default=None, description="When it was said or decided.")


FundingSource.examples = (
    Example(
        text=(
            "Canada and Japan have together approved 2.4 billion dollars to rebuild Moldova's power grid, the government in Chisinau said. "
            "Canada's loan of US$900 million, part of that package, was paid out in June.\n\n"
            "Sweden plans to contribute about 300 million kronor through the Energy Support Fund, energy minister Ebba Lind told reporters, "
            "provided that parliament agrees. Iceland is financing three mobile hospitals for the same region. "
            "Moldova's own budget for roads rose to 5 billion lei."
        ),
        published=date(2026, 9, 3),
        facts=(
            FundingSource.model_validate(
                {
                    "evidence": [
                        "Canada and Japan have together approved 2.4 billion dollars to rebuild Moldova's power grid, the government in "
                        "Chisinau said."
                    ],
                    "attribution": {"speaker": "government in Chisinau", "certainty": "claimed"},
                    "is_background": False,
                    "funders": [{"name": "Canada", "kind": "state"}, {"name": "Japan", "kind": "state"}],
                    "beneficiary": {"name": "Moldova", "kind": "state"},
                    "purpose": "to rebuild Moldova's power grid",
                    "amount": {"as_written": "2.4 billion dollars", "minimum": "2400000000", "maximum": "2400000000", "currency": "USD"},
                    "commitment_level": "commitment",
                    "aid_type": "financial",
                }
            ),
            FundingSource.model_validate(
                {
                    "evidence": [
                        "2.4 billion dollars to rebuild Moldova's power grid",
                        "Canada's loan of US$900 million, part of that package, was paid out in June.",
                    ],
                    "attribution": {"certainty": "asserted"},
                    "is_background": False,
                    "funders": [{"name": "Canada", "kind": "state"}],
                    "beneficiary": {"name": "Moldova", "kind": "state"},
                    "purpose": "to rebuild Moldova's power grid",
                    "amount": {"as_written": "US$900 million", "minimum": "900000000", "maximum": "900000000", "currency": "USD"},
                    "part_of": "that package",
                    "commitment_level": "disbursement",
                    "instrument": "loan",
                    "aid_type": "financial",
                }
            ),
            FundingSource.model_validate(
                {
                    "evidence": [
                        "Sweden plans to contribute about 300 million kronor through the Energy Support Fund, energy minister Ebba Lind told "
                        "reporters, provided that parliament agrees."
                    ],
                    "attribution": {"speaker": "Ebba Lind", "certainty": "asserted"},
                    "is_background": False,
                    "funders": [{"name": "Sweden", "kind": "state"}],
                    "purpose": None,
                    "amount": {
                        "as_written": "about 300 million kronor",
                        "minimum": "300000000",
                        "maximum": "300000000",
                        "currency": "SEK",
                        "approximate": True,
                    },
                    "commitment_level": "pledge",
                    "aid_type": "financial",
                    "channel": "Energy Support Fund",
                }
            ),
            FundingSource.model_validate(
                {
                    "evidence": ["Iceland is financing three mobile hospitals for the same region."],
                    "attribution": {"certainty": "asserted"},
                    "is_background": False,
                    "funders": [{"name": "Iceland", "kind": "state"}],
                    "purpose": "mobile hospitals",
                    "funded_quantity": {"as_written": "three", "minimum": 3, "maximum": 3},
                    "commitment_level": "commitment",
                    "aid_type": "humanitarian",
                }
            ),
        ),
    ),
)
