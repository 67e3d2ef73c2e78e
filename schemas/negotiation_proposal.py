"""NegotiationProposal: a move in talks about ending, pausing or settling a conflict.

Terms: CAMEO (02 appeal, 03 offer, 046 negotiate, 057 sign, 08 yield, 10 demand, 12 reject, 13 threaten, 139 ultimatum), PLOVER
(modes of REQUEST and REJECT), PA-X (third parties). Docstrings and descriptions below are read by the model: sources stand here.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from extractor.facts.fact import Closed, Example, Fact, Quote, Verbatim
from extractor.facts.party import Party
from extractor.facts.when import When

Act = Literal[
    "offer", "appeal", "demand", "ultimatum", "threat", "counter_offer", "acceptance", "rejection", "concession", "meeting_held",
    "agreement_signed", "position_statement",
]  # fmt: skip
Ask = Literal[
    "meeting", "ceasefire", "peace_settlement", "withdrawal", "territory", "prisoner_exchange", "sanctions", "security_guarantee", "aid",
    "procedural", "other",
]  # fmt: skip
Stance = Literal["accepted", "rejected", "conditional", "noncommittal", "deferred"]
ProposalStatus = Literal["open", "accepted", "rejected", "withdrawn", "superseded", "lapsed", "unclear"]


class Response(Closed):
    """One party's answer to the proposal."""

    party: Party
    stance: Stance = Field(
        description=(
            "accepted, rejected: as said. conditional: yes, if. noncommittal: neither yes nor no, or the prospect played down. "
            "deferred: later, or not before something else."
        ),
    )
    quote: Quote = Field(description="The passage that shows the answer, copied character by character from the article.")


class NegotiationProposal(Fact):
    """A move in talks about ending, pausing or settling an armed conflict: an offer, appeal, demand, ultimatum, threat, reply or standing position.

    Arms deals, aid agreements and meetings about them are none. Asking for weapons or money is none.
    A reply to a proposal goes into its responses; it is a record of its own only if it adds terms of its own. A standing position is
    merged into the dated act of the same party on the same ask. A threat counts only with an ask or a condition.
    Joint proposers are one record. Talks that are only scheduled, wars, annexations and other history are no records.
    """

    version: ClassVar[int] = 1

    proposers: list[Party] = Field(description="Who makes the move. A named speaker is a person with on_behalf_of.")
    addressees: list[Party] = Field(default_factory=list, description="To whom it is addressed. Empty when the text does not say.")
    mediators: list[Party] = Field(default_factory=list, description="Third parties that mediate or host.")
    act: Act = Field(
        description=(
            "offer: proposes something it would do or take part in. appeal: asks. demand: insists on what the other side must do. "
            "ultimatum: a demand with a deadline and a consequence. threat: a consequence announced with an ask or condition. "
            "counter_offer, acceptance, rejection, concession, meeting_held, agreement_signed: as said. "
            "position_statement: a standing view without a new move."
        ),
    )
    asks: list[Ask] = Field(description="What it is about: one or more.")
    terms: list[Verbatim] = Field(
        default_factory=list,
        description="What is proposed, demanded or stated, each element as the shortest verbatim words.",
    )
    conditions: list[Verbatim] = Field(default_factory=list, description="What it is made subject to, verbatim: 'until after a ceasefire'.")
    deadline: When | None = Field(default=None, description="By when the thing proposed is to happen.")
    consequence: Verbatim | None = Field(default=None, description="What is to follow otherwise, verbatim: 'sweeping sanctions'.")
    made: When | None = Field(default=None, description="When the move was made.")
    venue: Verbatim | None = Field(default=None, description="Where it was made, verbatim.")
    responses: list[Response] = Field(default_factory=list, description="The answers that the text reports; empty when none.")
    status: ProposalStatus = Field(
        description="Where it stands at the end of the text; open when nothing is settled; unclear when the text does not show it.",
    )


NegotiationProposal.examples = (
    Example(
        text=(
            "At talks in Nairobi on 4 May, rebel envoy Samuel Deng offered a truce of 60 days if the government frees its prisoners first. "
            "Sudan's foreign minister, Amna Idris, answered that her side would study the offer.\n\n"
            "Kenya's president, who mediates, has given both sides until Friday to agree on monitors. "
            "Sudan has always ruled out handing over the port of Suakin."
        ),
        published=date(2026, 5, 5),
        facts=(
            NegotiationProposal.model_validate(
                {
                    "evidence": [
                        "At talks in Nairobi on 4 May, rebel envoy Samuel Deng offered a truce of 60 days if the government frees its prisoners "
                        "first."
                    ],
                    "attribution": {"certainty": "asserted"},
                    "is_background": False,
                    "proposers": [{"name": "Samuel Deng", "kind": "person", "on_behalf_of": None}],
                    "addressees": [{"name": "Sudan", "kind": "state"}],
                    "mediators": [{"name": "Kenya", "kind": "state"}],
                    "act": "offer",
                    "asks": ["ceasefire", "prisoner_exchange"],
                    "terms": ["a truce of 60 days"],
                    "conditions": ["if the government frees its prisoners first"],
                    "made": {"as_written": "4 May", "earliest": "2026-05-04", "latest": "2026-05-04"},
                    "venue": "Nairobi",
                    "responses": [
                        {
                            "party": {"name": "Amna Idris", "kind": "person", "on_behalf_of": "Sudan"},
                            "stance": "noncommittal",
                            "quote": "Sudan's foreign minister, Amna Idris, answered that her side would study the offer.",
                        }
                    ],
                    "status": "open",
                }
            ),
            NegotiationProposal.model_validate(
                {
                    "evidence": ["Kenya's president, who mediates, has given both sides until Friday to agree on monitors."],
                    "attribution": {"certainty": "asserted"},
                    "is_background": False,
                    "proposers": [{"name": "Kenya", "kind": "state"}],
                    "mediators": [{"name": "Kenya", "kind": "state"}],
                    "act": "demand",
                    "asks": ["procedural"],
                    "terms": ["agree on monitors"],
                    "deadline": {"as_written": "until Friday", "earliest": None, "latest": "2026-05-08"},
                    "status": "open",
                }
            ),
            NegotiationProposal.model_validate(
                {
                    "evidence": ["Sudan has always ruled out handing over the port of Suakin."],
                    "attribution": {"certainty": "asserted"},
                    "is_background": False,
                    "proposers": [{"name": "Sudan", "kind": "state"}],
                    "act": "position_statement",
                    "asks": ["territory"],
                    "terms": ["ruled out handing over the port of Suakin"],
                    "status": "unclear",
                }
            ),
        ),
    ),
)
