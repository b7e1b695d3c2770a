//! Separation of trajectories and 4D volumes in continuous time on WGS84.
//!
//! Pure Rust, no Python. Lengths are metres, angles degrees, altitudes whole tenths of a millimetre
//! (`tmm`), times seconds outside and whole microseconds inside. Nothing here panics on any input:
//! what cannot be used comes back as a typed error.
//!
//! Reading order: [`bounds`] (what is added so that nothing is missed), [`leg`], [`path`] and
//! [`region`] (objects made ready), [`encounter`], [`intrusion`] and [`overlap`] (the three kinds
//! of pair), [`filter`] (which pairs to look at), [`screen`] (all pairs, shared out by [`parts`]).
//! [`signatures`], [`rows`] and [`plan`] stand apart: they prove and read a long record, which too
//! is much work that Python should not do piece by piece; so is reading long files of flights,
//! which [`json_features`] does.

pub mod bounds;
pub mod ellipsoid;
pub mod encounter;
pub mod error;
pub mod filter;
pub mod geodesic;
pub mod input;
pub mod interval;
pub mod intrusion;
pub mod json_features;
pub mod leg;
pub mod limits;
pub mod overlap;
pub mod parts;
pub mod path;
pub mod plan;
pub mod region;
pub mod rows;
pub mod screen;
pub mod signatures;
pub mod vec3;
pub mod vertical;
pub mod window;
