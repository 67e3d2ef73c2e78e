"""What we believe: pure functions from what a model said to facts that stand in the article."""
