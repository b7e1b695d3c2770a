//! What "too close" means for one pair: minima of the terms with both sides' margins.

use crate::vertical::References;

/// Minima by purpose, row times column.
#[derive(Clone, Debug, Default)]
pub struct Minima {
    pub count: usize,
    pub lateral_m: Vec<f64>,
    pub vertical_tmm: Vec<i64>,
}

impl Minima {
    fn of(&self, first: u16, second: u16) -> (f64, i64) {
        let at = usize::from(first) * self.count + usize::from(second);
        // Purposes were checked on entry; were one out of range, the greatest distance would warn.
        let lateral = self.lateral_m.get(at).copied();
        let vertical = self.vertical_tmm.get(at).copied();
        lateral.zip(vertical).unwrap_or((1e6, i64::MAX / 8))
    }

    pub fn greatest_lateral(&self) -> f64 {
        self.lateral_m.iter().fold(0.0, |m, &d| m.max(d))
    }

    /// The smallest minimum that trajectories can come under.
    pub fn least_positive_lateral(&self) -> f64 {
        let positive = self.lateral_m.iter().filter(|d| **d > 0.0);
        positive.fold(f64::INFINITY, |m, &d| m.min(d))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vertical {
    /// Altitudes compare after a shift.
    Compared,
    /// Bands without bounds on one side or the other: they always meet.
    Always,
    /// No conversion named: it cannot be known, so it is never clear.
    Unknown,
}

/// What each object brings to a pair.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    pub purpose: u16,
    pub reference: u8,
    /// Containment, metres, at least 0.
    pub lateral_m: f64,
    /// Reach of a circle or corridor, metres, at least 0.
    pub reach_m: f64,
    pub vertical_tmm: i64,
}

#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub lateral_m: f64,
    pub vertical_tmm: i64,
    /// Lateral minimum with containment and reach, metres.
    pub distance_m: f64,
    /// Containment alone, metres.
    pub containment_m: f64,
    /// Vertical minimum with containment and conversion slack.
    pub height_tmm: i64,
    /// What is added to the first one's altitude before comparing.
    pub shift_tmm: i64,
    pub vertical: Vertical,
}

impl Limits {
    pub fn new(minima: &Minima, references: &References, first: Share, second: Share) -> Limits {
        let (lateral_m, vertical_tmm) = minima.of(first.purpose, second.purpose);
        let containment_m = first.lateral_m + second.lateral_m;
        let conversion = references.conversion(first.reference, second.reference);
        let slack = conversion.map_or(0, |c| c.slack_tmm);
        Limits {
            lateral_m,
            vertical_tmm,
            distance_m: lateral_m + (containment_m + (first.reach_m + second.reach_m)),
            containment_m,
            height_tmm: vertical_tmm + first.vertical_tmm + second.vertical_tmm + slack,
            shift_tmm: conversion.map_or(0, |c| c.shift_tmm),
            vertical: match conversion {
                Some(_) => Vertical::Compared,
                None => Vertical::Unknown,
            },
        }
    }
}

/// Distances of a pair closer together than this are one to what is told, metres.
pub const EQUALLY_NEAR_M: f64 = 1e-6;

/// One stretch of time in which a pair is flagged, seconds after the pair's own zero.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub span: crate::interval::Span,
    /// Instants of the nearest approach on both own clocks.
    pub first_t: f64,
    pub second_t: f64,
    /// Distance there on the chord model, metres; 0 inside a polygon.
    pub distance: f64,
    /// Altitude difference there where it was compared and neither is shifted, tenths of a
    /// millimetre; else 0. Of instants that are equally near the least is told.
    pub height_tmm: f64,
    /// ε that was added to the minimum.
    pub excess: f64,
    /// True when neither moves, so that the distance is one number.
    pub still: bool,
}

/// How a flagged stretch was settled against the geodesic truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Settled {
    Conflict,
    WithinTolerance,
    Clear,
}
