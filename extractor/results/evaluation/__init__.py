"""How good a run is: facts aligned with gold labels, fields compared by value, measures with intervals."""
