//! Every pair of a set: a cheap filter that may only exclude, then the exact checks.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::InputError;
use crate::exact::{Body, Objects, Rules};
use crate::findings::Finding;
use crate::flagged::{Flagged, PairHit};
use crate::grid::{Grid, Set};
use crate::input::{check_tables, regions, Trajectories, Volumes};
use crate::limits::Minima;
use crate::slabs::Slabs;
use crate::stretch::{Bounding, Stretch, Ticks};
use crate::sweep::Sweep;
use crate::tracks::Tracks;
use crate::vertical::References;
use deconflict_parts::share_out;

/// Findings that a thread settles at a time.
const FINDINGS_AT_ONCE: usize = 256;

/// Meetings that a thread checks before it asks whether to go on: a millisecond or a few.
const MEETINGS_AT_ONCE: u32 = 1_024;

/// Asked now and then by every thread of a screening; false ends it. Once false it stays so.
pub type GoesOn<'a> = &'a (dyn Fn() -> bool + Sync);

/// How far a screening is, for another thread to look at.
#[derive(Debug, Default)]
pub struct Progress {
    /// Slabs of time that are looked through.
    pub done: AtomicUsize,
    /// Slabs in all; 0 until they are known.
    pub total: AtomicUsize,
}

/// Returns every finding, sorted by (i, j, start). The answer does not depend on the order of
/// rows, nor on the number of threads; swapping two rows swaps them in the findings and changes no
/// bit else.
pub fn screen(
    trajectories: &Trajectories<'_>,
    volumes: &Volumes<'_>,
    minima: Minima,
    references: References,
    threads: usize,
) -> Result<Vec<Finding>, InputError> {
    let unseen = Progress::default();
    let found = screen_while(
        trajectories,
        volumes,
        minima,
        references,
        threads,
        &unseen,
        &|| true,
    )?;
    Ok(found.expect("a screening that nothing ends is whole"))
}

/// As [`screen`], counting what is done; nothing exactly when it was ended, for a part of the
/// findings must not pass for all.
pub fn screen_while(
    trajectories: &Trajectories<'_>,
    volumes: &Volumes<'_>,
    minima: Minima,
    references: References,
    threads: usize,
    progress: &Progress,
    goes_on: GoesOn<'_>,
) -> Result<Option<Vec<Finding>>, InputError> {
    check_tables(&minima, &references)?;
    let tracks = Tracks::new(trajectories, minima.count, references.count, threads)?;
    let regions = regions(volumes, minima.count, references.count)?;
    let objects = Objects {
        tracks,
        regions,
        rules: Rules { minima, references },
    };
    let (stretches, pairs) = objects.flagged(threads, progress, goes_on);
    let mut findings = in_blocks(stretches.len(), threads, goes_on, |block, own| {
        own.extend(stretches[block].iter().filter_map(|found| {
            let (x, y) = (objects.body(found.i), objects.body(found.j));
            objects.rules.finding(found, &x, &y)
        }));
    });
    findings.extend(in_blocks(pairs.len(), threads, goes_on, |block, own| {
        let found = pairs[block].iter();
        own.extend(found.filter_map(|&(i, j)| {
            let (Body::Volume(x), Body::Volume(y)) = (objects.body(i), objects.body(j)) else {
                return None;
            };
            objects.rules.overlap((i, x), (j, y))
        }));
    }));
    if !goes_on() {
        return Ok(None);
    }
    findings.sort_unstable_by(Finding::order);
    Ok(Some(findings))
}

/// What threads find in blocks of `0..count`, in any order.
fn in_blocks(
    count: usize,
    threads: usize,
    goes_on: GoesOn<'_>,
    work: impl Fn(Range<usize>, &mut Vec<Finding>) + Sync,
) -> Vec<Finding> {
    let blocks = count.div_ceil(FINDINGS_AT_ONCE);
    let found = share_out(blocks, threads, Vec::new, |own, k| {
        let from = k * FINDINGS_AT_ONCE;
        if goes_on() {
            work(from..(from + FINDINGS_AT_ONCE).min(count), own);
        }
    });
    found.concat()
}

impl Objects<'_> {
    /// Stretches of time in which pairs are flagged, and the pairs of volumes to look at.
    fn flagged(
        &self,
        threads: usize,
        progress: &Progress,
        goes_on: GoesOn<'_>,
    ) -> (Vec<PairHit>, Vec<(u32, u32)>) {
        let spans_us = self.spans_us();
        let bounding = self.bounding(&spans_us);
        let count = self.tracks.len() as u32;
        let stretches: Vec<Stretch> = (count..)
            .zip(&self.regions)
            .map(|(object, region)| bounding.region(object, region))
            .collect();
        let sides = self.sides();
        let set = Set {
            tracks: &self.tracks,
            regions: &stretches,
            spans_us: &spans_us,
            bounding: &bounding,
            sides: &sides,
        };
        let grid = Grid::new(&set);
        progress.total.store(grid.slabs(), Ordering::Relaxed);
        let slabs = Slabs::new(&set, &grid, threads);
        #[derive(Default)]
        struct Worker {
            sweep: Sweep,
            own: Vec<crate::limits::Hit>,
            flagged: Flagged,
            volumes: Vec<(u32, u32)>,
        }
        let workers = share_out(grid.slabs(), threads, Worker::default, |worker, slab| {
            let Worker {
                sweep,
                own,
                flagged,
                volumes,
            } = worker;
            let mut checked = 0_u32;
            sweep.slab(&set, &grid, &slabs, slab, goes_on, &mut |a, b, during| {
                self.exact([a, b], grid.pieces, during, own, flagged, volumes);
                checked = checked.wrapping_add(1);
                !checked.is_multiple_of(MEETINGS_AT_ONCE) || goes_on()
            });
            if goes_on() {
                progress.done.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut volumes = Vec::new();
        let flagged = workers.into_iter().map(|worker| {
            volumes.extend(worker.volumes);
            worker.flagged
        });
        (Flagged::joined(flagged), volumes)
    }

    /// The side of every object, or nothing where all are on none.
    fn sides(&self) -> Vec<u8> {
        let tracks = (0..self.tracks.len()).map(|row| self.tracks.side(row));
        let sides: Vec<u8> = tracks.chain(self.regions.iter().map(|r| r.side)).collect();
        if sides.iter().all(|&side| side == 0) {
            return Vec::new();
        }
        sides
    }

    /// First and last instant of every object, windows included.
    fn spans_us(&self) -> Vec<(i64, i64)> {
        let tracks = (0..self.tracks.len()).map(|row| {
            let (start, end) = self.tracks.span_us(row);
            let window = self.tracks.window_us(row);
            (start - window, end + window)
        });
        let regions = self.regions.iter().map(|r| (r.start_us, r.end_us));
        tracks.chain(regions).collect()
    }

    /// Bands are compared in the reference that most objects have.
    fn bounding(&self, spans_us: &[(i64, i64)]) -> Bounding {
        let mut counts = [0_usize; 256];
        for row in 0..self.tracks.len() {
            counts[usize::from(self.tracks.reference(row))] += 1;
        }
        for region in &self.regions {
            counts[usize::from(region.reference)] += 1;
        }
        let main = (0..=255_u8)
            .max_by_key(|&r| counts[usize::from(r)])
            .unwrap_or(0);
        let base_tmm = (0..self.tracks.len())
            .find(|&row| self.tracks.reference(row) == main)
            .map_or(0, |row| self.tracks.get(row).altitudes_tmm[0]);
        let first_us = spans_us.iter().map(|span| span.0).min().unwrap_or(0);
        let last_us = spans_us.iter().map(|span| span.1).max().unwrap_or(0);
        let ticks = Ticks::new(first_us, last_us);
        Bounding::new(
            &self.rules.minima,
            &self.rules.references,
            main,
            base_tmm,
            ticks,
        )
    }
}
