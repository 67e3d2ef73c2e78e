"""What leaves: tables and status, exports, the review page, evaluation."""
