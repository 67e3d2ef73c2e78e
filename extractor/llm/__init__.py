"""What we ask: prompts out, replies in."""
