"""What we do and remember: one article's decisions, the run over many, and the ledger."""
