"""How numbers, sums and counts are written, and what the words mean: the grammar behind `quantity` and `money`."""
