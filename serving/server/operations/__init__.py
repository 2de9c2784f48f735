"""What operators need: metrics, request logs, who may ask, limits."""
