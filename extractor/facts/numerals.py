"""Numbers as they are written in news: digits, number words, magnitudes."""
