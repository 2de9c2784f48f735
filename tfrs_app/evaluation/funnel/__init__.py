"""What happens inside the funnel: where purchases are lost, what diversity costs."""
