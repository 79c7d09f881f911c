"""The proof: what each view should say, what it says, and what that means."""
