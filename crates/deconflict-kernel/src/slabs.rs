//! The stretches of a set by the slabs of time that they go on in, so that a slab reads straight
//! through memory.

use std::ops::Range;

use crate::grid::{Grid, Set};
use crate::parts::each_in_parts;
use crate::stretch::Stretch;

/// A thread makes this many objects' stretches at a time, or more of a set so large that it would
/// come to more parts.
const OBJECTS: usize = 512;
const MOST_PARTS: usize = 256;

/// The stretches of some objects, those of one slab together; one that goes on in several slabs is
/// there several times.
struct Part {
    objects: Range<usize>,
    stretches: Vec<Stretch>,
    /// Those of slab `s`: `first[s]..first[s + 1]`.
    first: Vec<u32>,
}

pub struct Slabs {
    parts: Vec<Part>,
}

impl Slabs {
    pub fn new(set: &Set<'_>, grid: &Grid, threads: usize) -> Slabs {
        let count = set.spans_us.len();
        let some = OBJECTS.max(count.div_ceil(MOST_PARTS));
        let mut parts: Vec<Part> = (0..count)
            .step_by(some)
            .map(|from| Part {
                objects: from..(from + some).min(count),
                stretches: Vec::new(),
                first: Vec::new(),
            })
            .collect();
        each_in_parts(&mut parts, threads, |part| part.make(set, grid));
        Slabs { parts }
    }

    /// The stretches of a slab, in pieces.
    pub fn of(&self, slab: usize) -> impl Iterator<Item = &[Stretch]> {
        self.parts.iter().map(move |part| {
            &part.stretches[part.first[slab] as usize..part.first[slab + 1] as usize]
        })
    }
}

impl Part {
    fn make(&mut self, set: &Set<'_>, grid: &Grid) {
        let about = set.about(self.objects.clone(), grid.pieces);
        let mut all = Vec::with_capacity(about);
        let mut slabs: Vec<(u32, u32)> = Vec::with_capacity(about);
        self.first = vec![0; grid.slabs() + 1];
        for object in self.objects.clone() {
            set.each_stretch(object, grid.pieces, |stretch| {
                let (from, to) = (grid.slab(stretch.from), grid.slab(stretch.to));
                for slab in from..=to {
                    self.first[slab + 1] += 1;
                }
                all.push(stretch);
                slabs.push((from as u32, to as u32));
            });
        }
        for slab in 0..grid.slabs() {
            self.first[slab + 1] += self.first[slab];
        }
        let mut next = self.first.clone();
        let mut order = vec![0_u32; self.first[grid.slabs()] as usize];
        for (index, &(from, to)) in (0..).zip(&slabs) {
            for place in &mut next[from as usize..=to as usize] {
                order[*place as usize] = index;
                *place += 1;
            }
        }
        self.stretches = order.iter().map(|&index| all[index as usize]).collect();
    }
}
