//! Every pair of a set: a cheap filter that may only exclude, then the exact checks.

use std::cmp::Ordering;

use crate::bounds::{self, sag, tangential};
use crate::encounter::{Pair, SHORTEST_LOSS_S};
use crate::error::InputError;
use crate::filter::{Entry, Filter};
use crate::input::{check_tables, paths, regions, Trajectories, Volumes};
use crate::intrusion::Intrusion;
use crate::limits::{Hit, Limits, Minima, Settled, Share, Vertical};
use crate::overlap::Overlap;
use crate::parts::{each_in_parts, in_parts};
use crate::path::{seconds, Path};
use crate::region::{Region, Shape};
use crate::vec3::Vec3;
use crate::vertical::{References, SURFACE, UNLIMITED};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Conflict = 0,
    WithinTolerance = 1,
    Incomparable = 2,
}

/// Two objects that come, or cannot be shown not to come, under their minima. Indices count
/// trajectories first, then volumes.
#[derive(Clone, Copy, Debug)]
pub struct Finding {
    pub i: usize,
    pub j: usize,
    pub verdict: Verdict,
    pub t_in_s: f64,
    pub t_out_s: f64,
    pub cpa_time_s: f64,
    pub cpa_distance_m: f64,
    /// Second minus first; none when the references do not compare.
    pub cpa_vertical_tmm: Option<i64>,
    pub first_point: (f64, f64),
    pub second_point: (f64, f64),
    pub lateral_m: f64,
    pub vertical_tmm: i64,
    pub margin_m: f64,
    pub margin_vertical_tmm: i64,
}

struct Set {
    paths: Vec<Path>,
    regions: Vec<Region>,
    /// Place of each path in an order by content: the pair is always computed the same way round.
    rank: Vec<usize>,
    minima: Minima,
    references: References,
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
    check_tables(&minima, &references)?;
    let mut paths = paths(trajectories, minima.count, references.count)?;
    let regions = regions(volumes, minima.count, references.count)?;
    let least = minima.least_positive_lateral();
    let longest = bounds::piece_length(least.clamp(50.0, 1e6));
    each_in_parts(&mut paths, threads, |path| path.cut(longest));
    let set = Set {
        rank: ranks(&paths),
        paths,
        regions,
        minima,
        references,
    };
    let filter = Filter::new(&set.minima, &set.references);
    let sorted = filter.sorted(set.entries());
    let (mut hits, mut findings) = (Vec::new(), Vec::new());
    let parts = in_parts(sorted.entries.len(), threads, |part| {
        let (mut hits, mut findings) = (Vec::new(), Vec::new());
        filter.sweep(&sorted, part, &mut |a, b| {
            set.exact(a, b, &mut hits, &mut findings);
        });
        (hits, findings)
    });
    for (some_hits, some_findings) in parts {
        hits.extend(some_hits);
        findings.extend(some_findings);
    }
    set.merge(hits, &mut findings);
    findings.sort_by(|x, y| {
        (x.i, x.j)
            .cmp(&(y.i, y.j))
            .then(x.t_in_s.total_cmp(&y.t_in_s))
    });
    Ok(findings)
}

fn ranks(paths: &[Path]) -> Vec<usize> {
    // Nearly all paths differ in when they start and end, so these lie in the list that is sorted.
    let mut order: Vec<(i64, i64, usize)> = (0..paths.len())
        .map(|k| (paths[k].start_us(), paths[k].end_us(), k))
        .collect();
    order.sort_by(|x, y| {
        (x.0, x.1)
            .cmp(&(y.0, y.1))
            .then_with(|| by_content(&paths[x.2], &paths[y.2]))
    });
    let mut rank = vec![0; paths.len()];
    for (place, &(_, _, index)) in order.iter().enumerate() {
        rank[index] = place;
    }
    rank
}

fn by_content(x: &Path, y: &Path) -> Ordering {
    let places = |path: &Path| {
        let legs = path.legs.iter();
        legs.flat_map(|l| [l.lat0, l.lon0, l.lat1, l.lon1].map(f64::to_bits))
            .collect::<Vec<u64>>()
    };
    // Shifting all times alike keeps this order.
    x.times_us
        .cmp(&y.times_us)
        .then_with(|| x.altitudes_tmm.cmp(&y.altitudes_tmm))
        .then_with(|| places(x).cmp(&places(y)))
        .then_with(|| x.lateral_m.total_cmp(&y.lateral_m))
        .then_with(|| {
            (x.vertical_tmm, x.window_us, x.purpose, x.reference).cmp(&(
                y.vertical_tmm,
                y.window_us,
                y.purpose,
                y.reference,
            ))
        })
}

fn path_share(path: &Path) -> Share {
    Share {
        purpose: path.purpose,
        reference: path.reference,
        lateral_m: path.lateral_m,
        reach_m: 0.0,
        vertical_tmm: path.vertical_tmm,
    }
}

fn region_share(region: &Region) -> Share {
    Share {
        purpose: region.purpose,
        reference: region.reference,
        lateral_m: 0.0,
        reach_m: region.reach_m,
        vertical_tmm: 0,
    }
}

impl Set {
    fn entries(&self) -> Vec<Entry> {
        // reach(d, s, e) <= d + 2s + 4e + noise, so each side brings its own part of the padding.
        let bulge = |length: f64| 2.0 * sag(length) + 4.0 * tangential(length) + bounds::NOISE_M;
        let mut entries = Vec::new();
        for (object, path) in (0u32..).zip(&self.paths) {
            let window = seconds(0, path.window_us);
            for (chunk, part) in (0u32..).zip(&path.chunks) {
                let pad = path.lateral_m + bulge(part.longest);
                entries.push(Entry {
                    from_us: part.t0_us - path.window_us,
                    to_us: part.t1_us + path.window_us,
                    centre: part.centre,
                    radius: part.radius + pad,
                    // Early or late by the window, the motion is as far off as it flies in it; so
                    // is its place where the stretch is extended beyond the chunk.
                    origin: path.pieces[part.first].edge.p0 - part.velocity * window,
                    velocity: part.velocity,
                    stray: part.stray + pad + part.velocity.norm() * window,
                    low_tmm: part.low_tmm - path.vertical_tmm,
                    high_tmm: part.high_tmm + path.vertical_tmm,
                    object,
                    chunk,
                    party: path.party,
                    item: u32::MAX,
                    reference: path.reference,
                    side: path.side,
                });
            }
        }
        let count = self.paths.len() as u32;
        for (object, region) in (count..).zip(&self.regions) {
            let pad = match region.shape {
                Shape::Capsules => region.reach_m,
                Shape::Polygon => bounds::POLYGON_PAD_M,
            };
            entries.push(Entry {
                from_us: region.start_us,
                to_us: region.end_us,
                centre: region.centre,
                radius: region.radius + pad + bulge(bounds::LONGEST_EDGE_M),
                origin: region.centre,
                velocity: Vec3::ZERO,
                stray: region.radius + pad + bulge(bounds::LONGEST_EDGE_M),
                low_tmm: region.lower_tmm,
                high_tmm: region.upper_tmm,
                object,
                chunk: 0,
                party: region.party,
                item: region.item,
                reference: region.reference,
                side: region.side,
            });
        }
        entries
    }

    fn exact(
        &self,
        a: &Entry,
        b: &Entry,
        hits: &mut Vec<(u32, u32, Hit)>,
        findings: &mut Vec<Finding>,
    ) {
        let (a, b) = if a.object < b.object { (a, b) } else { (b, a) };
        let (i, j) = (a.object as usize, b.object as usize);
        let count = self.paths.len();
        let mut own = Vec::new();
        if j < count {
            let (first, second, first_chunk, second_chunk) = if self.rank[i] < self.rank[j] {
                (i, j, a.chunk, b.chunk)
            } else {
                (j, i, b.chunk, a.chunk)
            };
            let pair = self.pair(first, second);
            pair.hits(
                &pair.first.chunks[first_chunk as usize],
                &pair.second.chunks[second_chunk as usize],
                &mut own,
            );
        } else if i < count {
            let intrusion = self.intrusion(i, j);
            intrusion.hits(&intrusion.path.chunks[a.chunk as usize], &mut own);
        } else {
            findings.extend(self.overlap(i, j));
        }
        hits.extend(own.into_iter().map(|hit| (a.object, b.object, hit)));
    }

    fn pair(&self, first: usize, second: usize) -> Pair<'_> {
        let (first, second) = (&self.paths[first], &self.paths[second]);
        let limits = Limits::new(
            &self.minima,
            &self.references,
            path_share(first),
            path_share(second),
        );
        Pair::new(first, second, limits)
    }

    fn intrusion(&self, i: usize, j: usize) -> Intrusion<'_> {
        let (path, region) = (&self.paths[i], &self.regions[j - self.paths.len()]);
        let mut limits = Limits::new(
            &self.minima,
            &self.references,
            path_share(path),
            region_share(region),
        );
        if region.lower_tmm == SURFACE && region.upper_tmm == UNLIMITED {
            limits.vertical = Vertical::Always;
        }
        Intrusion::new(path, region, limits)
    }

    /// Joins hits of one pair that touch, settles each stretch, and writes its finding.
    fn merge(&self, mut hits: Vec<(u32, u32, Hit)>, findings: &mut Vec<Finding>) {
        hits.sort_by(|x, y| {
            (x.0, x.1)
                .cmp(&(y.0, y.1))
                .then(x.2.span.from.total_cmp(&y.2.span.from))
                .then(x.2.span.to.total_cmp(&y.2.span.to))
                .then(x.2.distance.total_cmp(&y.2.distance))
                .then(x.2.first_t.total_cmp(&y.2.first_t))
                .then(x.2.second_t.total_cmp(&y.2.second_t))
                .then(x.2.excess.total_cmp(&y.2.excess))
                .then(x.2.still.cmp(&y.2.still))
        });
        let mut stretch: Option<(u32, u32, Hit)> = None;
        for (i, j, hit) in hits {
            match &mut stretch {
                Some((si, sj, whole))
                    if (*si, *sj) == (i, j) && hit.span.from <= whole.span.to + SHORTEST_LOSS_S =>
                {
                    whole.span.to = whole.span.to.max(hit.span.to);
                    if hit.distance < whole.distance {
                        whole.first_t = hit.first_t;
                        whole.second_t = hit.second_t;
                        whole.distance = hit.distance;
                    }
                    whole.excess = whole.excess.max(hit.excess);
                    whole.still &= hit.still;
                }
                _ => {
                    if let Some((si, sj, whole)) = stretch.replace((i, j, hit)) {
                        findings.extend(self.finding(si as usize, sj as usize, whole));
                    }
                }
            }
        }
        if let Some((i, j, whole)) = stretch {
            findings.extend(self.finding(i as usize, j as usize, whole));
        }
    }

    fn finding(&self, i: usize, j: usize, hit: Hit) -> Option<Finding> {
        if j < self.paths.len() {
            self.loss(i, j, hit)
        } else {
            self.entry(i, j, hit)
        }
    }

    fn loss(&self, i: usize, j: usize, mut hit: Hit) -> Option<Finding> {
        if hit.span.length() <= SHORTEST_LOSS_S {
            return None;
        }
        let swapped = self.rank[i] > self.rank[j];
        let mut pair = if swapped {
            self.pair(j, i)
        } else {
            self.pair(i, j)
        };
        let settled = pair.settle(&mut hit);
        let limits = pair.limits;
        let verdict = verdict(settled, limits.vertical)?;
        let zero = seconds(0, pair.base_us);
        let rise = pair.second.altitude(pair.base_us, hit.second_t)
            - (pair.first.altitude(pair.base_us, hit.first_t) + limits.shift_tmm as f64);
        let mut points = (
            pair.first.position(pair.base_us, hit.first_t),
            pair.second.position(pair.base_us, hit.second_t),
        );
        let mut rise = rise.round() as i64;
        if swapped {
            points = (points.1, points.0);
            rise = -rise;
        }
        Some(Finding {
            i,
            j,
            verdict,
            t_in_s: zero + hit.span.from,
            t_out_s: zero + hit.span.to,
            cpa_time_s: zero + hit.span.clamp(0.5 * (hit.first_t + hit.second_t)),
            cpa_distance_m: pair.true_distance(&hit),
            cpa_vertical_tmm: (limits.vertical != Vertical::Unknown).then_some(rise),
            first_point: points.0,
            second_point: points.1,
            lateral_m: limits.lateral_m,
            vertical_tmm: limits.vertical_tmm,
            margin_m: limits.containment_m + hit.excess,
            margin_vertical_tmm: limits.height_tmm - limits.vertical_tmm,
        })
    }

    fn entry(&self, i: usize, j: usize, mut hit: Hit) -> Option<Finding> {
        let mut intrusion = self.intrusion(i, j);
        let settled = intrusion.settle(&mut hit);
        let limits = intrusion.limits;
        let verdict = verdict(settled, limits.vertical)?;
        let (path, region) = (intrusion.path, intrusion.region);
        let base = intrusion.base_us;
        let witness = intrusion.witness(hit.first_t);
        let window = seconds(0, path.window_us);
        let start = (hit.span.from - window).max(seconds(base, region.start_us));
        let end = (hit.span.to + window).min(seconds(base, region.end_us));
        let end = end.max(start);
        let altitude = path.altitude(base, hit.first_t) + limits.shift_tmm as f64;
        let gap = band_gap(region, altitude);
        let zero = seconds(0, base);
        Some(Finding {
            i,
            j,
            verdict,
            t_in_s: zero + start,
            t_out_s: zero + end,
            cpa_time_s: zero + hit.first_t.max(start).min(end),
            cpa_distance_m: witness.distance_m,
            cpa_vertical_tmm: (limits.vertical != Vertical::Unknown).then_some(gap),
            first_point: witness.path_point,
            second_point: witness.region_point,
            lateral_m: limits.lateral_m,
            vertical_tmm: limits.vertical_tmm,
            margin_m: limits.containment_m + hit.excess,
            margin_vertical_tmm: limits.height_tmm - limits.vertical_tmm,
        })
    }

    fn overlap(&self, i: usize, j: usize) -> Option<Finding> {
        let count = self.paths.len();
        let (first, second) = (&self.regions[i - count], &self.regions[j - count]);
        let swapped = region_order(first, second) == Ordering::Greater;
        let (one, other) = if swapped {
            (second, first)
        } else {
            (first, second)
        };
        let mut limits = Limits::new(
            &self.minima,
            &self.references,
            region_share(one),
            region_share(other),
        );
        let open = |r: &Region| r.lower_tmm == SURFACE && r.upper_tmm == UNLIMITED;
        let both_grounded = one.lower_tmm == SURFACE && other.lower_tmm == SURFACE;
        let both_unlimited = one.upper_tmm == UNLIMITED && other.upper_tmm == UNLIMITED;
        if open(one) || open(other) || both_grounded || both_unlimited {
            limits.vertical = Vertical::Always;
        }
        let overlap = Overlap {
            first: one,
            second: other,
            limits,
        };
        let (start_us, end_us) = overlap.common()?;
        if !overlap.bands_meet() {
            return None;
        }
        let closest = overlap.closest()?;
        let verdict = verdict(closest.settled, limits.vertical)?;
        let gap = match limits.vertical {
            Vertical::Compared => i64::try_from(overlap.gap_tmm()).ok(),
            Vertical::Always => Some(0),
            Vertical::Unknown => None,
        };
        let (mut points, mut gap) = ((closest.first_point, closest.second_point), gap);
        if swapped {
            points = (points.1, points.0);
            gap = gap.map(|g| -g);
        }
        Some(Finding {
            i,
            j,
            verdict,
            t_in_s: seconds(0, start_us),
            t_out_s: seconds(0, end_us),
            cpa_time_s: seconds(0, start_us),
            cpa_distance_m: closest.distance_m,
            cpa_vertical_tmm: gap,
            first_point: points.0,
            second_point: points.1,
            lateral_m: limits.lateral_m,
            vertical_tmm: limits.vertical_tmm,
            margin_m: limits.containment_m + closest.excess,
            margin_vertical_tmm: limits.height_tmm - limits.vertical_tmm,
        })
    }
}

fn region_order(x: &Region, y: &Region) -> Ordering {
    let places = |r: &Region| {
        let legs = r.legs.iter();
        legs.flat_map(|l| [l.lat0, l.lon0, l.lat1, l.lon1].map(f64::to_bits))
            .collect::<Vec<u64>>()
    };
    let head = |r: &Region| {
        (
            r.shape == Shape::Polygon,
            r.legs.len(),
            r.reference,
            r.purpose,
        )
    };
    head(x)
        .cmp(&head(y))
        .then_with(|| places(x).cmp(&places(y)))
        .then_with(|| x.reach_m.total_cmp(&y.reach_m))
        .then_with(|| (x.lower_tmm, x.upper_tmm).cmp(&(y.lower_tmm, y.upper_tmm)))
        .then_with(|| (x.start_us, x.end_us).cmp(&(y.start_us, y.end_us)))
}

/// Unknown altitudes never make a finding more certain, and never make it vanish.
fn verdict(settled: Settled, vertical: Vertical) -> Option<Verdict> {
    match (settled, vertical) {
        (Settled::Clear, _) => None,
        (_, Vertical::Unknown) => Some(Verdict::Incomparable),
        (Settled::Conflict, _) => Some(Verdict::Conflict),
        (Settled::WithinTolerance, _) => Some(Verdict::WithinTolerance),
    }
}

/// How far a band lies above (positive) or below (negative) an altitude; 0 when it holds it.
fn band_gap(region: &Region, altitude_tmm: f64) -> i64 {
    if region.lower_tmm != SURFACE && altitude_tmm < region.lower_tmm as f64 {
        (region.lower_tmm as f64 - altitude_tmm).round() as i64
    } else if region.upper_tmm != UNLIMITED && altitude_tmm > region.upper_tmm as f64 {
        (region.upper_tmm as f64 - altitude_tmm).round() as i64
    } else {
        0
    }
}
