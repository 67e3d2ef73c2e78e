"""How dates and intervals are written, and what the words mean against a publication date: the grammar behind `when`."""
