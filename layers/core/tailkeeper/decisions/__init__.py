"""What people are told of a hold, and what they decide."""
