"""The chat of the well-known tutorial of 2019, as fixtures: what triochat must get along with."""
