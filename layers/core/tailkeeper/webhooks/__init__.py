"""Webhooks: who sent a delivery, and what it says. Nothing heavy is imported here."""
