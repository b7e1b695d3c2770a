"""What each side of a line provably knew at an instant, from records that were proven first."""
