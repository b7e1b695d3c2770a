//! What is active now: added to, replaced, removed from, and asked what one more would meet.
//!
//! A stretch lies in one cell of the level for its size ([`crate::index_cells`]); a question is looked
//! up in every level. Levels need no sample and never have to be made anew.

use std::collections::{BTreeSet, HashMap};

use crate::bounds::arc;
use crate::ellipsoid::surface;
use crate::error::InputError;
use crate::exact::{Body, Rules};
use crate::index_cells::Levels;
use crate::input::{check_tables, regions, Trajectories, Volumes};
use crate::limits::Minima;
use crate::region::Region;
use crate::stretch::{Bounding, Stretch, Ticks};
use crate::tracks::Tracks;
use crate::vertical::References;
use deconflict_parts::share_out;

/// Pieces of a trajectory in one stretch.
pub(crate) const PIECES: usize = 4;

/// A flight longer than five times round the Earth is not held ready: it is surely no plan, and
/// would be cut into so many pieces that all others wait.
const LONGEST_WAY_M: f64 = 200_000_000.0;
/// No degree of latitude or longitude is longer.
const LONGEST_DEGREE_M: f64 = 111_700.0;

pub(crate) enum Owned {
    /// One row.
    Flight(Tracks<'static>),
    Volume(Box<Region>),
}

impl Owned {
    pub(crate) fn body(&self) -> Body<'_> {
        match self {
            Owned::Flight(tracks) => Body::Flight(tracks.get(0)),
            Owned::Volume(region) => Body::Volume(region),
        }
    }
}

/// One trajectory or volume of a declaration.
pub(crate) struct Member {
    pub(crate) key: u64,
    pub(crate) owned: Owned,
    end_us: i64,
    /// The next of the same declaration; `NONE` after the last.
    next: u32,
}

const NONE: u32 = u32::MAX;

/// What places and compares all that is there.
pub(crate) struct Space {
    pub(crate) bounding: Bounding,
    pub(crate) levels: Levels,
}

/// Rows that [`Index::put`] takes.
pub struct Ready {
    /// Made for these rows where there was none.
    space: Option<Space>,
    shares: Vec<Share>,
}

/// What one thread made ready at a time, in the order of rows.
#[derive(Default)]
struct Share {
    number: usize,
    rows: Vec<ReadyRow>,
    /// Of all these rows, one after the other; they have no number yet.
    stretches: Vec<Stretch>,
}

struct ReadyRow {
    key: u64,
    owned: Owned,
    end_us: i64,
    /// How many of the stretches are its own.
    stretches: usize,
}

/// Rows that a thread makes ready at a time.
const ROWS_AT_ONCE: usize = 4_096;

pub struct Index {
    pub(crate) rules: Rules,
    /// None until something was added: the first one says which reference bands are compared in and
    /// what time it is.
    pub(crate) space: Option<Space>,
    members: Vec<Option<Member>>,
    free_members: Vec<u32>,
    /// The first member of each declaration.
    by_key: HashMap<u64, u32>,
    by_end: BTreeSet<(i64, u64)>,
}

impl Index {
    pub fn new(minima: Minima, references: References) -> Result<Index, InputError> {
        check_tables(&minima, &references)?;
        Ok(Index {
            rules: Rules { minima, references },
            space: None,
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

    /// Rows checked and made ready to be put: of every row, trajectories first, the key of the
    /// declaration that it belongs to.
    pub fn ready(
        &self,
        keys: &[u64],
        trajectories: &Trajectories<'_>,
        volumes: &Volumes<'_>,
        threads: usize,
    ) -> Result<Ready, InputError> {
        let (tracks, regions) = self.checked(trajectories, volumes, threads)?;
        let rows = tracks.len() + regions.len();
        if rows != keys.len() {
            let problem = format!("has {} elements, expected {rows}", keys.len());
            return Err(InputError::new("trajectories", 0, "keys", problem));
        }
        let body = |row: usize| match row.checked_sub(tracks.len()) {
            None => Body::Flight(tracks.get(row)),
            Some(volume) => Body::Volume(&regions[volume]),
        };
        let made = match (&self.space, rows) {
            (None, 1..) => Some(Space::around(&self.rules, &body(0))),
            _ => None,
        };
        let Some(space) = self.space.as_ref().or(made.as_ref()) else {
            return Ok(Ready {
                space: None,
                shares: Vec::new(),
            });
        };
        let count = rows.div_ceil(ROWS_AT_ONCE);
        let made_by_each = share_out(count, threads, Vec::new, |own, number| {
            let from = number * ROWS_AT_ONCE;
            let mut share = Share {
                number,
                ..Share::default()
            };
            for (row, &key) in keys.iter().enumerate().skip(from).take(ROWS_AT_ONCE) {
                let before = share.stretches.len();
                let end_us = stretches(&body(row), &space.bounding, &mut share.stretches);
                share.rows.push(ReadyRow {
                    key,
                    owned: match row.checked_sub(tracks.len()) {
                        None => Owned::Flight(tracks.one(row)),
                        Some(volume) => Owned::Volume(Box::new(regions[volume].clone())),
                    },
                    end_us,
                    stretches: share.stretches.len() - before,
                });
            }
            own.push(share);
        });
        let mut shares = made_by_each.into_iter().flatten().collect::<Vec<Share>>();
        shares.sort_unstable_by_key(|share| share.number);
        Ok(Ready {
            space: made,
            shares,
        })
    }

    /// Puts declarations in the place of what was there under their keys.
    pub fn put(&mut self, ready: Ready) {
        for row in ready.shares.iter().flat_map(|share| &share.rows) {
            self.remove(row.key);
        }
        let again = ready.space.is_some() && self.space.is_some();
        self.space = self.space.take().or(ready.space);
        let mut ends_us: HashMap<u64, i64> = HashMap::new();
        for mut share in ready.shares {
            if let (true, Some(space)) = (again, &self.space) {
                // Somebody else was first: these were made ready for another space.
                share.stretches.clear();
                for row in &mut share.rows {
                    let before = share.stretches.len();
                    stretches(&row.owned.body(), &space.bounding, &mut share.stretches);
                    row.stretches = share.stretches.len() - before;
                }
            }
            let mut left = &share.stretches[..];
            for row in share.rows {
                let last = ends_us.entry(row.key).or_insert(row.end_us);
                *last = (*last).max(row.end_us);
                let (own, others) = left.split_at(row.stretches);
                left = others;
                self.add(row, own);
            }
        }
        let by_end = ends_us.into_iter().map(|(key, end_us)| (end_us, key));
        self.by_end.extend(by_end);
    }

    pub(crate) fn checked<'t>(
        &self,
        trajectories: &Trajectories<'t>,
        volumes: &Volumes<'_>,
        threads: usize,
    ) -> Result<(Tracks<'t>, Vec<Region>), InputError> {
        let (purposes, references) = (self.rules.minima.count, self.rules.references.count);
        refuse_endless(trajectories)?;
        let tracks = Tracks::new(trajectories, purposes, references, threads)?;
        Ok((tracks, regions(volumes, purposes, references)?))
    }

    fn add(&mut self, row: ReadyRow, stretches: &[Stretch]) {
        let object = self.free_members.pop().unwrap_or_else(|| {
            self.members.push(None);
            (self.members.len() - 1) as u32
        });
        if let Some(space) = &mut self.space {
            space.levels.insert(object, stretches);
        }
        let next = self.by_key.insert(row.key, object).unwrap_or(NONE);
        self.members[object as usize] = Some(Member {
            key: row.key,
            owned: row.owned,
            end_us: row.end_us,
            next,
        });
    }

    /// Takes what is there under a key away; says whether anything was.
    pub fn remove(&mut self, key: u64) -> bool {
        let Some(mut object) = self.by_key.remove(&key) else {
            return false;
        };
        let mut end_us = i64::MIN;
        while let Some(member) = self.members.get_mut(object as usize).and_then(Option::take) {
            end_us = end_us.max(member.end_us);
            if let Some(space) = &mut self.space {
                let mut made = Vec::new();
                stretches(&member.owned.body(), &space.bounding, &mut made);
                space.levels.remove(object, &made);
            }
            self.free_members.push(object);
            object = member.next;
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

    pub(crate) fn member(&self, object: u32) -> Option<&Member> {
        self.members.get(object as usize)?.as_ref()
    }
}

impl Space {
    /// What is there is compared as suits the first of it.
    fn around(rules: &Rules, first: &Body<'_>) -> Space {
        let (reference, at_us) = match first {
            Body::Flight(track) => (track.reference, track.start_us()),
            Body::Volume(region) => (region.reference, region.start_us),
        };
        let (minima, references) = (&rules.minima, &rules.references);
        let ticks = Ticks::around(at_us);
        let bounding = Bounding::new(minima, references, reference, 0, ticks);
        let place = match first {
            Body::Flight(track) => track.places[0],
            Body::Volume(region) => region.centre,
        };
        Space {
            levels: Levels::new(place, &bounding),
            bounding,
        }
    }
}

/// Refuses a flight of which making it ready would take long: its legs are cut as screening cuts
/// them, and half round the Earth is cut into four hundred.
fn refuse_endless(trajectories: &Trajectories<'_>) -> Result<(), InputError> {
    for (row, ends) in trajectories.offsets.windows(2).enumerate() {
        let points = usize::try_from(ends[0]).unwrap_or(0)..usize::try_from(ends[1]).unwrap_or(0);
        // What cannot be a place is refused later, and by name.
        let (Some(lat), Some(lon)) = (
            trajectories.lat_deg.get(points.clone()),
            trajectories.lon_deg.get(points),
        ) else {
            continue;
        };
        let legs = || lat.windows(2).zip(lon.windows(2));
        // Of degrees, not less than the way: at the poles far more.
        let most_deg: f64 = legs()
            .map(|(a, o)| (a[1] - a[0]).abs() + (o[1] - o[0]).abs())
            .sum();
        if most_deg * LONGEST_DEGREE_M <= LONGEST_WAY_M {
            continue;
        }
        let place = |lat: f64, lon: f64| surface(lat, lon);
        let way_m: f64 = legs()
            .map(|(a, o)| arc((place(a[1], o[1]) - place(a[0], o[0])).norm()))
            .sum();
        if way_m > LONGEST_WAY_M {
            let km = |m: f64| (m / 1e3).round();
            let problem = format!(
                "the way is {} km long, more than can be held ready; expected at most {} km",
                km(way_m),
                km(LONGEST_WAY_M)
            );
            return Err(InputError::new("trajectories", row, "lat_deg", problem));
        }
    }
    Ok(())
}

/// Adds the stretches of an object that has no number; returns its last instant, windows included.
pub(crate) fn stretches(body: &Body<'_>, bounding: &Bounding, made: &mut Vec<Stretch>) -> i64 {
    let (span_us, party) = match body {
        Body::Flight(track) => {
            let window_us = track.window_us;
            let span_us = (track.start_us() - window_us, track.end_us() + window_us);
            (span_us, track.party)
        }
        Body::Volume(region) => ((region.start_us, region.end_us), region.party),
    };
    // What ticks do not tell apart is never excluded by them.
    let told = bounding.ticks.hold(span_us.0, span_us.1);
    let all = || bounding.anywhere(NONE, party, span_us.0, span_us.1);
    match body {
        Body::Flight(track) => {
            let firsts = (0..track.pieces()).step_by(PIECES);
            made.extend(firsts.map(|first| {
                let end = (first + PIECES).min(track.pieces());
                if told {
                    bounding.track(NONE, track, first..end)
                } else {
                    Stretch {
                        first: first as u32,
                        ..all()
                    }
                }
            }));
        }
        Body::Volume(region) if told => made.push(bounding.region(NONE, region)),
        Body::Volume(_) => made.push(all()),
    }
    span_us.1
}
