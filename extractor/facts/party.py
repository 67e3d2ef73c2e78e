"""Who: a party to a fact, and the table that knows which state a name stands for.

In: names. Out: `Party`, `country_of`. Floor: facts.
"""

from typing import Literal

from pydantic import Field

from extractor.facts.fact import Closed, Name

PartyKind = Literal[
    "state", "government_body", "company", "armed_group", "intergovernmental", "person", "group_of_states", "other", "unknown"
]


class Party(Closed):
    """One party: a state, body, company, group or person that the text names."""

    name: Name | None = Field(
        description=(
            "As the text has it: a person in the fullest form it uses; a state as a noun where the text has one ('Netherlands' rather than "
            "'Dutch'). Never corrected, never translated. Null only where the text speaks of an unnamed party."
        ),
    )
    kind: PartyKind = Field(description="What it is; unknown for an unnamed party.")
    on_behalf_of: Name | None = Field(
        default=None,
        description="The state or body a person or government body speaks or acts for, as the text names it; otherwise null.",
    )
