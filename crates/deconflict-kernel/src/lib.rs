//! Separation of trajectories and 4D volumes in continuous time on WGS84.
