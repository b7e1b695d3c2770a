//! Separation of trajectories and 4D volumes in continuous time on WGS84.
//!
//! Pure Rust, no Python. Lengths are metres, angles degrees, altitudes whole tenths of a millimetre
//! (`tmm`), times seconds outside and whole microseconds inside. Nothing here panics on any input:
//! what cannot be used comes back as a typed error.
//!
//! Reading order: [`bounds`] (what is added so that nothing is missed), [`leg`], [`path`] and
//! [`region`] (objects made ready), [`encounter`], [`intrusion`] and [`overlap`] (the three kinds
//! of pair), [`filter`] (which pairs to look at), [`screen`] (all pairs, shared out by [`parts`]).
//! [`advise`] says what changes of one object would meet others: [`convex`] is its mathematics,
//! [`shift`], [`level`] and [`offset`] the changes, [`passage`] those against volumes, [`nearby`]
//! its filter, [`aside`] builds what was moved, [`sky`] is what is there, [`way`] how it reads a path.
//! [`signatures`], [`rows`] and [`plan`] stand apart: they prove and read a long record, which too
//! is much work that Python should not do piece by piece.

pub mod advise;
pub mod aside;
pub mod bounds;
pub mod convex;
pub mod ellipsoid;
pub mod encounter;
pub mod error;
pub mod filter;
pub mod geodesic;
pub mod input;
pub mod interval;
pub mod intrusion;
pub mod leg;
pub mod level;
pub mod limits;
pub mod nearby;
pub mod offset;
pub mod overlap;
pub mod parts;
pub mod passage;
pub mod path;
pub mod plan;
pub mod region;
pub mod rows;
pub mod screen;
pub mod shift;
pub mod signatures;
pub mod sky;
pub mod vec3;
pub mod vertical;
pub mod way;
pub mod window;
