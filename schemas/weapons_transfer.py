"""WeaponsTransfer: arms that move, or are said to, from one party to another.

Terms: SIPRI Arms Transfers Database (supplier, recipient, designation, categories, licensed production; sources and methods page),
UNROCA (categories), Kiel Ukraine Support Tracker (allocation). Categories add uncrewed aircraft, small arms and ammunition, which
news needs and SIPRI folds away. Docstrings and descriptions below are read by the model: sources stand here.
"""

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from extractor.facts.fact import Example, Fact, Verbatim
from extractor.facts.money import Money
from extractor.facts.party import Party
from extractor.facts.quantity import Quantity
from extractor.facts.when import When

Category = Literal[
    "aircraft", "uncrewed_aircraft", "air_defence", "armoured_vehicle", "artillery", "missile", "ship", "naval_weapon", "anti_submarine",
    "sensor", "satellite", "engine", "small_arms", "ammunition", "other", "unspecified",
]  # fmt: skip
TransferType = Literal[
    "sale", "donation", "loan_lease", "licensed_production", "co_production", "exchange_backfill", "smuggling", "unspecified"
]
TransferStatus = Literal[
    "sought", "offered", "under_negotiation", "pledged", "agreed", "ordered", "allocated", "in_delivery", "delivered", "suspended",
    "cancelled", "refused", "embargoed",
]  # fmt: skip


class WeaponsTransfer(Fact):
    """Weapons or military equipment that move, or are said to move, from a supplier to a recipient: asked for, offered, agreed, delivered or refused.

    A record needs at least one of: a designation more specific than 'weapons', a quantity, a price, a date. Passing mentions
    ('deliveries by the US and others') make no record. Asking for weapons is a record with status sought. Captured or seized weapons
    are no transfer. Goods given instead of money are a donation.
    A third party that only pays is a payer; then there is a record only if the text names who hands the weapons over or says that they
    move. Joint suppliers with one undivided figure are one record with several suppliers; separate figures are separate records.
    A second kind of item is a record of its own only with its own designation, number, price or status. A price for several kinds
    together belongs to a record of the package as a whole, not to those of its kinds.
    The same parties, item and status told twice are one record: the most specific statement gives the values, the others are evidence.
    A swap or backfill is two records.
    """

    version: ClassVar[int] = 1

    suppliers: list[Party] = Field(description="Who hands the item over: not the maker, not the payer. Empty when nobody is named.")
    recipients: list[Party] = Field(description="Who gets the item. Empty when nobody is named.")
    payers: list[Party] = Field(default_factory=list, description="Third parties that pay; the recipient paying its own price is none.")
    designation: Verbatim = Field(
        description="The item, as the shortest verbatim words: 'Patriot air defense systems', 'drones'; without the number.",
    )
    category: Category = Field(
        description=(
            "Whole systems and launchers against aircraft: air_defence. Interceptors and other missiles: missile. Radars: sensor. "
            "Rounds and shells: ammunition. Drones in the air: uncrewed_aircraft."
        ),
    )
    quantity: Quantity | None = Field(default=None, description="How many this record is about; null when the text does not say.")
    quantity_delivered: Quantity | None = Field(default=None, description="How many of them have arrived, when the text says so.")
    transfer_type: TransferType = Field(description="On what terms the item moves; unspecified when the text does not say.")
    status: TransferStatus = Field(
        description=(
            "The furthest stage that the text states. sought: one side asks. offered: one side offers. under_negotiation: both talk. "
            "pledged: the supplier alone says that it will. agreed: both sides are said to have agreed. ordered: a contract is signed. "
            "allocated: particular items or a package are set aside. in_delivery: some have arrived. delivered: all have arrived. "
            "suspended, cancelled, refused, embargoed: as said."
        ),
    )
    price: Money | None = Field(default=None, description="What the deal is said to be worth or cost; null when no sum is given.")
    announced: When | None = Field(default=None, description="When it was said or decided.")
    delivery_due: When | None = Field(default=None, description="When delivery is to happen, or to begin.")
    delivered_on: When | None = Field(default=None, description="When delivery did happen.")


# invented countries' news is told in real countries' names, so that the examples teach names and codes as articles have them
WeaponsTransfer.examples = (
    Example(
        text=(
            "Denmark will give 19 Leopard 1 tanks to Estonia by the end of March, defence minister Karin Holm said on Tuesday. "
            "Estonia had asked for at least 30. Twelve of the tanks have already arrived, she added.\n\n"
            "Estonia has also signed a contract with a Finnish manufacturer for dozens of mortar carriers, worth between €80 and €95 million, "
            "according to the daily Postimees. The tanks that were shown in the museum at Tapa in 2019 are not part of either deal."
        ),
        published=date(2026, 1, 14),
        facts=(
            WeaponsTransfer.model_validate(
                {
                    "evidence": [
                        "Denmark will give 19 Leopard 1 tanks to Estonia by the end of March, defence minister Karin Holm said on Tuesday.",
                        "Twelve of the tanks have already arrived",
                    ],
                    "attribution": {"speaker": "Karin Holm", "certainty": "asserted"},
                    "is_background": False,
                    "suppliers": [{"name": "Denmark", "kind": "state"}],
                    "recipients": [{"name": "Estonia", "kind": "state"}],
                    "designation": "Leopard 1 tanks",
                    "category": "armoured_vehicle",
                    "quantity": {"as_written": "19", "minimum": 19, "maximum": 19},
                    "quantity_delivered": {"as_written": "Twelve", "minimum": 12, "maximum": 12},
                    "transfer_type": "unspecified",
                    "status": "in_delivery",
                    "announced": {"as_written": "on Tuesday", "earliest": "2026-01-13", "latest": "2026-01-13"},
                    "delivery_due": {"as_written": "by the end of March", "earliest": None, "latest": "2026-03-31"},
                }
            ),
            WeaponsTransfer.model_validate(
                {
                    "evidence": [
                        "Denmark will give 19 Leopard 1 tanks to Estonia",
                        "Estonia had asked for at least 30.",
                    ],
                    "attribution": {"certainty": "asserted"},
                    "is_background": True,
                    "suppliers": [{"name": "Denmark", "kind": "state"}],
                    "recipients": [{"name": "Estonia", "kind": "state"}],
                    "designation": "Leopard 1 tanks",
                    "category": "armoured_vehicle",
                    "quantity": {"as_written": "at least 30", "minimum": 30, "maximum": None},
                    "transfer_type": "unspecified",
                    "status": "sought",
                }
            ),
            WeaponsTransfer.model_validate(
                {
                    "evidence": [
                        "Estonia has also signed a contract with a Finnish manufacturer for dozens of mortar carriers, worth between €80 and "
                        "€95 million, according to the daily Postimees."
                    ],
                    "attribution": {"speaker": None, "relayed_by": "Postimees", "certainty": "claimed"},
                    "is_background": False,
                    "suppliers": [{"name": None, "kind": "unknown"}],
                    "recipients": [{"name": "Estonia", "kind": "state"}],
                    "designation": "mortar carriers",
                    "category": "artillery",
                    "quantity": {"as_written": "dozens", "minimum": None, "maximum": None},
                    "transfer_type": "sale",
                    "status": "ordered",
                    "price": {
                        "as_written": "between €80 and €95 million",
                        "minimum": "80000000",
                        "maximum": "95000000",
                        "currency": "EUR",
                    },
                }
            ),
        ),
    ),
)
