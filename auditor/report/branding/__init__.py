"""Logo and fonts."""
