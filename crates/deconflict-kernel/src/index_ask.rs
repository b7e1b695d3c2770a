//! What rows meet of all that is active, with no more effort than is given for it.
//!
//! Effort is counted, not timed: the same question takes the same everywhere, and whoever asks can
//! say how much one question may take of a thread that has other things to do.

use std::collections::BTreeSet;

use crate::error::InputError;
use crate::exact::Body;
use crate::findings::Finding;
use crate::flagged::Flagged;
use crate::index::{stretches, Index, Space, PIECES};
use crate::index_heads::Sieve;
use crate::input::{Trajectories, Volumes};
use crate::limits::Hit;
use crate::region::Region;
use crate::stretch::{meeting, Bounding, Stretch, Ticks};

/// So many cells or stretches looked at, and so many pairs of edges, cost what one pair of pieces does: about
/// a microsecond.
const LOOKS: u64 = 64;

/// A finding of an object asked about, by its row (trajectories first), and what is there by its
/// key. The first of the finding is always the one asked about.
pub struct Met {
    pub key: u64,
    pub finding: Finding,
}

/// What rows asked about came to.
pub struct Asked {
    pub met: Vec<Met>,
    /// Rows from here on were not looked at, because those before took all the effort.
    pub done: usize,
    /// Rows that would take more effort than all of it: what they meet is not known to the end.
    pub broken_off: Vec<usize>,
}

/// How much was done, in pairs of pieces.
struct Effort {
    most: u64,
    spent: u64,
    /// Spent before the item that is asked about.
    before: u64,
}

impl Effort {
    /// Adds work on an item; false when that is more than one may take.
    fn take(&mut self, work: u64) -> bool {
        self.spent = self.spent.saturating_add(work);
        self.spent - self.before <= self.most
    }
}

/// What is found on the way, and room that is used again.
#[derive(Default)]
struct Search<'a> {
    flagged: Flagged,
    overlaps: BTreeSet<(u32, u32)>,
    asked_with: Vec<Stretch>,
    sieve: Sieve<'a>,
    own: Vec<Hit>,
}

impl Index {
    /// What these objects meet of all that is there, as [`crate::screen::screen`] would find it:
    /// rows of one party or one side never meet, and the rows asked about are not held against each
    /// other. Volumes of one item follow one another, and are looked at all or none.
    ///
    /// One item takes up to `most` pairs of pieces, of a thousand or two a millisecond; none is begun
    /// when so many are used up. What was met until then is told, of what is broken off too.
    pub fn ask(
        &self,
        trajectories: &Trajectories<'_>,
        volumes: &Volumes<'_>,
        most: u64,
    ) -> Result<Asked, InputError> {
        let (tracks, regions) = self.checked(trajectories, volumes, 1)?;
        let flights = (0..tracks.len()).map(|row| Body::Flight(tracks.get(row)));
        let asked: Vec<Body<'_>> = flights.chain(regions.iter().map(Body::Volume)).collect();
        let mut answer = Asked {
            met: Vec::new(),
            done: asked.len(),
            broken_off: Vec::new(),
        };
        let Some(space) = &self.space else {
            return Ok(answer);
        };
        let mut search = Search::default();
        let mut effort = Effort {
            most,
            spent: 0,
            before: 0,
        };
        for row in 0..asked.len() {
            let same = row > 0 && of_one_item(&asked[row - 1], &asked[row]);
            if !same {
                if effort.spent >= most {
                    answer.done = row;
                    break;
                }
                effort.before = effort.spent;
            }
            let given_up = same && answer.broken_off.last() == Some(&(row - 1));
            if given_up || !self.look(row as u32, &asked[row], space, &mut search, &mut effort) {
                answer.broken_off.push(row);
            }
        }
        self.tell(&asked, search, &mut answer.met);
        Ok(answer)
    }

    /// Flags what one row meets; false when that takes too much.
    fn look<'a>(
        &'a self,
        row: u32,
        body: &Body<'_>,
        space: &'a Space,
        search: &mut Search<'a>,
        effort: &mut Effort,
    ) -> bool {
        let side = side(body);
        search.asked_with.clear();
        stretches(body, &space.bounding, &mut search.asked_with);
        for &stretch in &search.asked_with {
            let one = Filter::new(&stretch, &space.bounding);
            let cells = space.levels.near(&stretch, &mut search.sieve);
            if !effort.take(1 + (cells + search.sieve.found.len() as u64) / LOOKS) {
                return false;
            }
            for &other in &search.sieve.found {
                let Some(during) = one.lets_through(other) else {
                    continue;
                };
                let Some(member) = self.member(other.object) else {
                    continue;
                };
                let there = member.owned.body();
                if side != 0 && side == self::side(&there) {
                    continue;
                }
                let work = match (body, &there) {
                    (Body::Volume(x), Body::Volume(y)) => {
                        let met = (row, other.object);
                        if search.overlaps.contains(&met) {
                            continue;
                        }
                        edges(x) * edges(y) / LOOKS
                    }
                    (Body::Volume(region), _) | (_, Body::Volume(region)) => {
                        PIECES as u64 * (1 + edges(region) / LOOKS)
                    }
                    (Body::Flight(x), Body::Flight(y)) if x.window_us + y.window_us > 0 => {
                        (PIECES * PIECES) as u64
                    }
                    _ => 2 * PIECES as u64,
                };
                if !effort.take(work) {
                    return false;
                }
                match (body, &there) {
                    (Body::Volume(_), Body::Volume(_)) => {
                        search.overlaps.insert((row, other.object));
                    }
                    (Body::Volume(_), there) => {
                        let (there, own) = ((other, there), (&stretch, body));
                        self.rules.hits(there, own, PIECES, during, &mut search.own);
                    }
                    (_, there) => {
                        let (there, own) = ((other, there), (&stretch, body));
                        self.rules.hits(own, there, PIECES, during, &mut search.own);
                    }
                }
                search.flagged.add(row, other.object, &mut search.own);
            }
        }
        true
    }

    /// Adds what was flagged and is a finding, in order.
    fn tell(&self, asked: &[Body<'_>], search: Search<'_>, met: &mut Vec<Met>) {
        for found in Flagged::joined([search.flagged]) {
            let Some(member) = self.member(found.j) else {
                continue;
            };
            let (x, y) = (asked[found.i as usize], member.owned.body());
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
        for (i, j) in search.overlaps {
            let Some(member) = self.member(j) else {
                continue;
            };
            if let (Body::Volume(x), Body::Volume(y)) = (asked[i as usize], member.owned.body()) {
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
    }
}

fn edges(region: &Region) -> u64 {
    region.edges.len().max(1) as u64
}

fn of_one_item(before: &Body<'_>, body: &Body<'_>) -> bool {
    match (before, body) {
        (Body::Volume(x), Body::Volume(y)) => x.item == y.item && x.item != u32::MAX,
        _ => false,
    }
}

/// One stretch held against others.
struct Filter<'a> {
    own: &'a Stretch,
    band: (i32, i32),
    vertical: i32,
    ticks: Ticks,
}

impl<'a> Filter<'a> {
    fn new(own: &'a Stretch, bounding: &Bounding) -> Filter<'a> {
        let (vertical, ticks) = (bounding.vertical(), bounding.ticks);
        Filter {
            own,
            band: own.band(vertical),
            vertical,
            ticks,
        }
    }

    /// When the two could meet.
    #[inline]
    fn lets_through(&self, other: &Stretch) -> Option<(i64, i64)> {
        let (low, high) = other.band(self.vertical);
        let meet = (self.own.from <= other.to)
            & (other.from <= self.own.to)
            & (self.band.0 <= high)
            & (low <= self.band.1)
            & (self.own.party != other.party);
        if !meet {
            return None;
        }
        meeting(self.own, other, self.vertical, self.ticks)
    }
}

fn side(body: &Body<'_>) -> u8 {
    match body {
        Body::Flight(track) => track.side,
        Body::Volume(region) => region.side,
    }
}
