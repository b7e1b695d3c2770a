"""What change of an own plan would end a conflict: for its planner alone, never for the peer."""
