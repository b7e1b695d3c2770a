//! Separation of trajectories and 4D volumes in continuous time on WGS84.
//!
//! Pure Rust, no Python. Lengths are metres, angles degrees, times seconds since the set's own
//! zero, altitudes whole tenths of a millimetre (`tmm`). Nothing here panics on any input: what
//! cannot be used comes back as a typed error.

pub mod geodesic;
