"""Where objects live, how they are found, and how changes are followed."""
