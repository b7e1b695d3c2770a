//! What is active now: added to, replaced, removed from, and asked what one more would meet.
//!
//! A stretch lies in cells of the level whose cells are a little larger than itself, so that it
//! touches few; a question is looked up in every level. Levels need no sample and never have to be
//! made anew. What is asked and what is there share a cell at the greater of their lower corners in
//! every dimension, and are held against each other in that one only.

use std::collections::{BTreeSet, HashMap};

use crate::error::InputError;
use crate::exact::{Body, Rules};
use crate::findings::Finding;
use crate::flagged::Flagged;
use crate::index_cells::Levels;
use crate::input::{check_tables, regions, Trajectories, Volumes};
use crate::lanes::{near_first, Frame, Lanes};
use crate::limits::Minima;
use crate::region::Region;
use crate::stretch::{may_meet, Bounding, Stretch, Ticks};
use crate::tracks::Tracks;
use crate::vertical::References;

/// Pieces of a trajectory in one stretch.
const PIECES: usize = 4;

enum Owned {
    /// One row.
    Flight(Tracks<'static>),
    Volume(Box<Region>),
}

impl Owned {
    fn body(&self) -> Body<'_> {
        match self {
            Owned::Flight(tracks) => Body::Flight(tracks.get(0)),
            Owned::Volume(region) => Body::Volume(region),
        }
    }
}

/// One trajectory or volume of a declaration.
struct Member {
    key: u64,
    owned: Owned,
    span_us: (i64, i64),
    /// Its stretches, by their places among all.
    stretches: Vec<u32>,
}

/// A finding of an object asked about, by its row (trajectories first), and what is there by its
/// key. The first of the finding is always the one asked about.
pub struct Met {
    pub key: u64,
    pub finding: Finding,
}

pub struct Index {
    rules: Rules,
    /// None until something was added: the first one says which reference bands are compared in and
    /// what time it is.
    bounding: Option<Bounding>,
    levels: Levels,
    stretches: Vec<Stretch>,
    free_stretches: Vec<u32>,
    members: Vec<Option<Member>>,
    free_members: Vec<u32>,
    by_key: HashMap<u64, Vec<u32>>,
    by_end: BTreeSet<(i64, u64)>,
}

impl Index {
    pub fn new(minima: Minima, references: References) -> Result<Index, InputError> {
        check_tables(&minima, &references)?;
        Ok(Index {
            rules: Rules { minima, references },
            bounding: None,
            levels: Levels::default(),
            stretches: Vec::new(),
            free_stretches: Vec::new(),
            members: Vec::new(),
            free_members: Vec::new(),
            by_key: HashMap::new(),
            by_end: BTreeSet::new(),
        })
    }

    /// How many declarations there are.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Puts declarations in the place of what was there under their keys: of every row, trajectories
    /// first, the key of the declaration that it belongs to. What is refused changes nothing.
    pub fn put(
        &mut self,
        keys: &[u64],
        trajectories: &Trajectories<'_>,
        volumes: &Volumes<'_>,
        threads: usize,
    ) -> Result<(), InputError> {
        let made = self.made(trajectories, volumes, threads)?;
        if made.len() != keys.len() {
            let problem = format!("has {} elements, expected {}", keys.len(), made.len());
            return Err(InputError::new("trajectories", 0, "keys", problem));
        }
        for &key in keys {
            self.remove(key);
        }
        let mut ends_us: HashMap<u64, i64> = HashMap::new();
        for (&key, owned) in keys.iter().zip(made) {
            let object = self.add(key, owned);
            self.by_key.entry(key).or_default().push(object);
            let end_us = self.member(object).map_or(i64::MIN, |m| m.span_us.1);
            let last = ends_us.entry(key).or_insert(end_us);
            *last = (*last).max(end_us);
        }
        self.by_end
            .extend(ends_us.into_iter().map(|(key, end_us)| (end_us, key)));
        Ok(())
    }

    /// Every row as an object of its own.
    fn made(
        &self,
        trajectories: &Trajectories<'_>,
        volumes: &Volumes<'_>,
        threads: usize,
    ) -> Result<Vec<Owned>, InputError> {
        let (purposes, references) = (self.rules.minima.count, self.rules.references.count);
        let all = Tracks::new(trajectories, purposes, references, threads)?;
        let regions = regions(volumes, purposes, references)?;
        let flights = (0..all.len()).map(|row| Owned::Flight(all.one(row)));
        let volumes = regions.into_iter().map(|r| Owned::Volume(Box::new(r)));
        Ok(flights.chain(volumes).collect())
    }

    fn add(&mut self, key: u64, owned: Owned) -> u32 {
        let object = self.free_members.pop().unwrap_or_else(|| {
            self.members.push(None);
            (self.members.len() - 1) as u32
        });
        let body = owned.body();
        let bounding = self.bounding.get_or_insert_with(|| {
            let (reference, at_us) = match &body {
                Body::Flight(track) => (track.reference, track.start_us()),
                Body::Volume(region) => (region.reference, region.start_us),
            };
            let (minima, references) = (&self.rules.minima, &self.rules.references);
            Bounding::new(minima, references, reference, 0, Ticks::around(at_us))
        });
        let (span_us, made) = stretches(object, &body, bounding);
        let mut own = Vec::with_capacity(made.len());
        for stretch in made {
            let index = match self.free_stretches.pop() {
                Some(index) => {
                    self.stretches[index as usize] = stretch;
                    index
                }
                None => {
                    self.stretches.push(stretch);
                    (self.stretches.len() - 1) as u32
                }
            };
            self.levels.insert(index, &stretch, bounding);
            own.push(index);
        }
        self.members[object as usize] = Some(Member {
            key,
            owned,
            span_us,
            stretches: own,
        });
        object
    }

    /// Takes what is there under a key away; says whether anything was.
    pub fn remove(&mut self, key: u64) -> bool {
        let Some(members) = self.by_key.remove(&key) else {
            return false;
        };
        let mut end_us = i64::MIN;
        for object in members {
            let Some(member) = self.members[object as usize].take() else {
                continue;
            };
            end_us = end_us.max(member.span_us.1);
            if let Some(bounding) = &self.bounding {
                for &index in &member.stretches {
                    let stretch = self.stretches[index as usize];
                    self.levels.remove(index, &stretch, bounding);
                }
            }
            self.free_stretches.extend(member.stretches);
            self.free_members.push(object);
        }
        self.by_end.remove(&(end_us, key));
        true
    }

    /// Takes away what ends before an instant, windows included; returns the keys.
    pub fn drop_before(&mut self, at_us: i64) -> Vec<u64> {
        let over: Vec<u64> = self
            .by_end
            .range(..(at_us, 0))
            .map(|&(_, key)| key)
            .collect();
        for &key in &over {
            self.remove(key);
        }
        over
    }

    /// What these objects meet of all that is there, as [`crate::screen::screen`] would find it:
    /// rows of one party never meet, and the rows asked about are not held against each other.
    pub fn ask(
        &self,
        trajectories: &Trajectories<'_>,
        volumes: &Volumes<'_>,
    ) -> Result<Vec<Met>, InputError> {
        let asked = self.made(trajectories, volumes, 1)?;
        let Some(bounding) = &self.bounding else {
            return Ok(Vec::new());
        };
        let mut flagged = Flagged::default();
        let mut overlaps = BTreeSet::new();
        let mut own = Vec::new();
        let mut question = Question::new(bounding);
        for (row, owned) in (0_u32..).zip(&asked) {
            let body = owned.body();
            for stretch in stretches(row, &body, bounding).1 {
                for index in question.near(&stretch, &self.levels) {
                    let other = &self.stretches[*index as usize];
                    if !may_meet(&stretch, other, bounding.vertical(), bounding.ticks) {
                        continue;
                    }
                    let Some(member) = self.member(other.object) else {
                        continue;
                    };
                    match (&body, &member.owned.body()) {
                        (Body::Volume(_), Body::Volume(_)) => {
                            overlaps.insert((row, other.object));
                        }
                        (Body::Volume(_), there) => {
                            let there = (other, there);
                            self.rules.hits(there, (&stretch, &body), PIECES, &mut own);
                        }
                        (_, there) => {
                            let there = (other, there);
                            self.rules.hits((&stretch, &body), there, PIECES, &mut own);
                        }
                    }
                    flagged.add(row, other.object, &mut own);
                }
            }
        }
        let mut met = Vec::new();
        for found in Flagged::joined([flagged]) {
            let Some(member) = self.member(found.j) else {
                continue;
            };
            let (x, y) = (asked[found.i as usize].body(), member.owned.body());
            let finding = match (&x, &y) {
                (Body::Volume(_), Body::Flight(_)) => {
                    self.rules.finding(&found, &y, &x).map(Finding::turned)
                }
                _ => self.rules.finding(&found, &x, &y),
            };
            met.extend(finding.map(|finding| Met {
                key: member.key,
                finding,
            }));
        }
        for (i, j) in overlaps {
            let Some(member) = self.member(j) else {
                continue;
            };
            if let (Body::Volume(x), Body::Volume(y)) =
                (asked[i as usize].body(), member.owned.body())
            {
                let finding = self.rules.overlap((i, x), (j, y));
                met.extend(finding.map(|finding| Met {
                    key: member.key,
                    finding,
                }));
            }
        }
        // By content: the number of what is there depends on what was there before.
        met.sort_unstable_by(|a, b| {
            let (x, y) = (
                a.finding,
                Finding {
                    j: a.finding.j,
                    ..b.finding
                },
            );
            let rows = (x.i, a.key).cmp(&(y.i, b.key));
            rows.then_with(|| x.order(&y))
        });
        Ok(met)
    }

    fn member(&self, object: u32) -> Option<&Member> {
        self.members.get(object as usize)?.as_ref()
    }
}

/// From the first to the last instant of an object, windows included, and its stretches.
fn stretches(object: u32, body: &Body<'_>, bounding: &Bounding) -> ((i64, i64), Vec<Stretch>) {
    let (span_us, party) = match body {
        Body::Flight(track) => {
            let window_us = track.window_us;
            let span_us = (track.start_us() - window_us, track.end_us() + window_us);
            (span_us, track.party)
        }
        Body::Volume(region) => ((region.start_us, region.end_us), region.party),
    };
    // What ticks do not tell apart is never excluded by them.
    if !bounding.ticks.hold(span_us.0, span_us.1) {
        let all = bounding.anywhere(object, party, span_us.0, span_us.1);
        let Body::Flight(track) = body else {
            return (span_us, vec![all]);
        };
        let firsts = (0..track.pieces()).step_by(PIECES);
        let each = firsts.map(|first| Stretch {
            first: first as u32,
            ..all
        });
        return (span_us, each.collect());
    }
    let made = match body {
        Body::Flight(track) => (0..track.pieces())
            .step_by(PIECES)
            .map(|first| {
                let end = (first + PIECES).min(track.pieces());
                bounding.track(object, track, first..end)
            })
            .collect(),
        Body::Volume(region) => vec![bounding.region(object, region)],
    };
    (span_us, made)
}

/// One stretch held against what is there, and what is kept from one to the next.
struct Question<'a> {
    bounding: &'a Bounding,
    one: Lanes,
    found: Vec<u32>,
}

impl<'a> Question<'a> {
    fn new(bounding: &'a Bounding) -> Question<'a> {
        Question {
            bounding,
            one: Lanes::default(),
            found: Vec::new(),
        }
    }

    /// Those of all levels that cannot be excluded.
    fn near(&mut self, stretch: &Stretch, levels: &Levels) -> &[u32] {
        self.found.clear();
        levels.each_cell(stretch, self.bounding, |corner, frame: &Frame, lanes| {
            self.one.clear();
            self.one.push(0, corner, stretch, frame);
            near_first(&self.one, lanes, &mut self.found);
        });
        &self.found
    }
}
