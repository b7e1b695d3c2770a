//! The stretches of a set by the slabs of time that they go on in, so that a slab is read straight
//! from memory.

use crate::grid::{Grid, Set};
use crate::pages::roomy;
use crate::stretch::Stretch;
use deconflict_parts::share_out;

/// A thread makes this many objects' stretches at a time.
const OBJECTS: usize = 128;
/// So many stretches of one slab lie together: the last ones of all slabs fit a near cache.
pub const TOGETHER: usize = 64;
/// Memory is taken for so many stretches at a time (16 MiB).
const AT_ONCE: usize = 1 << 18;

/// Stretches of one slab that lie together, in a thread's memory.
#[derive(Clone, Copy)]
struct Run {
    chunk: u32,
    first: u32,
    count: u32,
}

/// What one thread made; a stretch that goes on in several slabs is there several times.
struct Shelf {
    chunks: Vec<Vec<Stretch>>,
    /// Of each slab; all but the last are full.
    runs: Vec<Vec<Run>>,
}

pub struct Slabs {
    shelves: Vec<Shelf>,
}

impl Slabs {
    pub fn new(set: &Set<'_>, grid: &Grid, threads: usize) -> Slabs {
        let count = set.spans_us.len();
        let new = || Shelf {
            chunks: Vec::new(),
            runs: vec![Vec::new(); grid.slabs()],
        };
        let shelves = share_out(count.div_ceil(OBJECTS), threads, new, |shelf, part| {
            let from = part * OBJECTS;
            for object in from..(from + OBJECTS).min(count) {
                let begun = set.bounding.ticks.floor(set.spans_us[object].0);
                let mut slab = grid.slab(begun);
                set.each_stretch(object, grid.pieces, |stretch| {
                    let first = grid.slab_near(slab, stretch.from);
                    slab = grid.slab_near(first, stretch.to);
                    for slab in first..=slab {
                        shelf.put(slab, &stretch);
                    }
                });
            }
        });
        Slabs { shelves }
    }

    /// The stretches of a slab, [`TOGETHER`] of them or fewer at a time.
    pub fn of(&self, slab: usize) -> impl Iterator<Item = &[Stretch]> {
        self.shelves.iter().flat_map(move |shelf| {
            shelf.runs[slab].iter().map(|run| {
                let first = run.first as usize;
                &shelf.chunks[run.chunk as usize][first..first + run.count as usize]
            })
        })
    }
}

impl Shelf {
    #[inline]
    fn put(&mut self, slab: usize, stretch: &Stretch) {
        let run = match self.runs[slab].last_mut() {
            Some(run) if (run.count as usize) < TOGETHER => run,
            _ => self.another(slab),
        };
        let (chunk, at) = (run.chunk as usize, (run.first + run.count) as usize);
        run.count += 1;
        self.chunks[chunk][at] = *stretch;
    }

    /// An empty run at the end of those of a slab.
    #[cold]
    fn another(&mut self, slab: usize) -> &mut Run {
        let full = |chunk: &Vec<Stretch>| chunk.len() + TOGETHER > chunk.capacity();
        if self.chunks.last().is_none_or(full) {
            self.chunks.push(roomy(AT_ONCE));
        }
        let chunk = self.chunks.len() - 1;
        let first = self.chunks[chunk].len();
        self.chunks[chunk].resize(first + TOGETHER, Stretch::NOTHING);
        let runs = &mut self.runs[slab];
        runs.push(Run {
            chunk: chunk as u32,
            first: first as u32,
            count: 0,
        });
        let last = runs.len() - 1;
        &mut runs[last]
    }
}
