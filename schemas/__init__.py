"""The fact types that ship with this package, one per file; a user's own stand beside them through `catalog`."""

from extractor.schemas.funding_source import FundingSource
from extractor.schemas.negotiation_proposal import NegotiationProposal
from extractor.schemas.weapons_transfer import WeaponsTransfer

__all__ = ["FundingSource", "NegotiationProposal", "WeaponsTransfer"]
