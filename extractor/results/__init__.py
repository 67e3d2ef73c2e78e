"""What leaves: facts as tables, progress and status for people."""
