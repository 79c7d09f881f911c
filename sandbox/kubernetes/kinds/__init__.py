"""What kinds the cluster serves, and what fields they may have."""
