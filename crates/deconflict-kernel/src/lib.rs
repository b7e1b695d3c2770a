//! Separation of trajectories and 4D volumes in continuous time on WGS84.
//!
//! Pure Rust, no Python. Lengths are metres, angles degrees, altitudes whole tenths of a millimetre
//! (`tmm`), times seconds outside and whole microseconds inside. Nothing here panics on any input:
//! what cannot be used comes back as a typed error.
//!
//! Reading order: [`bounds`] (what is added so that nothing is missed), [`leg`], [`track`] and
//! [`region`] (objects made ready), [`encounter`], [`intrusion`] and [`overlap`] (the three kinds
//! of pair), [`exact`] (which kind a pair is). Of a whole set: [`tracks`] (columns checked and made
//! ready), [`stretch`] (what the filter looks at), [`grid`] and [`slabs`] (how the set is divided),
//! [`lanes`] and [`sweep`] (which pairs to look at), [`findings`] (what they come to), [`screen`]
//! (all of it, shared out by `deconflict_parts`). [`index`] asks the same of one object and all that are
//! active now, which lie in cells of their own.
//! [`advise`] says what changes of one object would meet others: [`convex`] is its mathematics,
//! [`shift`], [`level`] and [`offset`] the changes, [`passage`] those against volumes, [`nearby`]
//! its filter, [`aside`] builds what was moved, [`sky`] is what is there, [`way`] how it reads a
//! track.
//! [`signatures`], [`canonical`], [`record`] (with [`frame`], [`entries`], [`receipts`],
//! [`checkpoints`]), [`tree`], [`rows`] and [`plan`] stand apart: they prove and read a long record,
//! which too is much work that Python should not do piece by piece; so is reading long files of
//! flights, which [`json_features`] does: one at a time by `json_flight`, by the steps of [`json_scan`]
//! and the spellings of `json_words`.

pub mod advise;
pub mod aside;
pub mod bounds;
pub mod canonical;
pub mod checkpoints;
pub mod convex;
mod digests;
pub mod ellipsoid;
pub mod encounter;
pub mod entries;
pub mod entry_fields;
pub mod error;
pub mod exact;
pub mod findings;
pub mod flagged;
pub mod frame;
pub mod geodesic;
pub mod grid;
pub mod index;
mod index_ask;
mod index_cells;
mod index_heads;
mod index_walk;
pub mod input;
pub mod interval;
pub mod intrusion;
pub mod json_about;
pub mod json_area;
pub mod json_features;
mod json_flight;
mod json_printable;
mod json_ring;
pub mod json_scan;
mod json_words;
pub mod lanes;
pub mod leg;
pub mod level;
pub mod limits;
mod multiples;
pub mod nearby;
pub mod offset;
pub mod order;
pub mod overlap;
pub mod pages;
pub mod passage;
pub mod plan;
pub mod prefetch;
pub mod receipts;
pub mod record;
pub mod region;
pub mod rows;
#[cfg(test)]
mod scatter;
pub mod screen;
pub mod shift;
pub mod signatures;
pub mod sincos;
pub mod sky;
pub mod slabs;
mod steps;
pub mod stretch;
pub mod sweep;
pub mod track;
pub mod tracks;
pub mod tree;
pub mod vec3;
pub mod vertical;
pub mod way;
pub mod width;
pub mod window;
