//! Tries to break every bound that the kernel adds so that nothing is missed.
//!
//! Each search returns how often it tried and the worst it found, as a share of what is allowed:
//! above 1 the bound is broken.

#[path = "../../tests/made/random.rs"]
mod random;

use deconflict_kernel::bounds::{self, arc, chord, sag, spread, tangential, NOISE_M};
use deconflict_kernel::ellipsoid::{normal, surface};
use deconflict_kernel::geodesic::{direct, distance, near_distance, NEAR_DISTANCE_M};
use deconflict_kernel::lanes::{pairs_near, Frame, Lanes, ALL_CORNERS};
use deconflict_kernel::leg::{Leg, NEAR_POINT_M};
use deconflict_kernel::limits::Minima;
use deconflict_kernel::order::Digest;
use deconflict_kernel::sincos::sincos_deg;
use deconflict_kernel::stretch::{above, Bounding, Stretch, Ticks, STEPS_PER_M, UNIT};
use deconflict_kernel::track::Track;
use deconflict_kernel::vec3::Vec3;
use deconflict_kernel::vertical::References;
pub use random::Random;

/// The worst of one search.
#[derive(Clone, Copy, Debug)]
pub struct Worst {
    pub of: &'static str,
    pub tried: u64,
    /// Found over allowed.
    pub ratio: f64,
}

impl Worst {
    fn new(of: &'static str) -> Worst {
        Worst {
            of,
            tried: 0,
            ratio: 0.0,
        }
    }

    fn see(&mut self, ratio: f64) {
        self.tried += 1;
        // What is no number breaks every bound.
        if ratio.is_nan() || ratio > self.ratio {
            self.ratio = if ratio.is_nan() { f64::INFINITY } else { ratio };
        }
    }
}

/// Every search, each with its share of so many pairs.
pub fn all(random: &mut Random, pairs: u64) -> Vec<Worst> {
    let mut found = chords(random, pairs).to_vec();
    found.push(lanes(random, pairs));
    found.extend(shortenings(random, pairs / 200 + 1));
    found.push(near_points(random, pairs / 100 + 1));
    found.push(near_distances(random, pairs / 100 + 1));
    found.push(sines(random, pairs / 50 + 1));
    found.extend(motions(random, pairs / 200 + 1));
    found
}

fn somewhere(random: &mut Random) -> (f64, f64) {
    let lat = match random.below(8) {
        0 => random.one_of(&[0.0, 90.0, -90.0, 45.0, 1e-9, 89.999_999]),
        _ => random.between(-1.0, 1.0).asin().to_degrees(),
    };
    (lat, random.between(-180.0, 180.0))
}

fn metres(random: &mut Random, least: f64, most: f64) -> f64 {
    least * (most / least).powf(random.unit())
}

/// Points of a geodesic beside those of its chord, at equal fractions.
const FRACTIONS: usize = 17;

struct Flown {
    truth: [Vec3; FRACTIONS],
    chord: [Vec3; FRACTIONS],
    sag: f64,
    tangential: f64,
}

fn flown(random: &mut Random, centre: (f64, f64), length: f64) -> Flown {
    let beside = metres(random, 1e-3, 3.0 * length.min(1e5));
    let through = direct(centre.0, centre.1, random.between(0.0, 360.0), beside).unwrap();
    let length = length * random.one_of(&[1.0, 1.0, 0.9, 1e-4]);
    // Half of them are all but in the middle when the others are: there the sag is greatest.
    let at = if random.chance(0.5) {
        0.5
    } else {
        random.unit()
    };
    let azimuth = random.between(0.0, 360.0);
    let (lat0, lon0, _) = direct(through.0, through.1, azimuth + 180.0, at * length).unwrap();
    let (lat1, lon1, _) = direct(through.0, through.1, azimuth, (1.0 - at) * length).unwrap();
    let leg = Leg {
        lat0,
        lon0,
        lat1,
        lon1,
    };
    let (p, q) = (surface(lat0, lon0), surface(lat1, lon1));
    let longest = arc((q - p).norm());
    let share = |k: usize| k as f64 / (FRACTIONS - 1) as f64;
    Flown {
        truth: std::array::from_fn(|k| leg.place(share(k))),
        chord: std::array::from_fn(|k| p + (q - p) * share(k)),
        sag: sag(longest),
        tangential: tangential(longest),
    }
}

/// Legs against legs: are chord points nearer than the bound says, wherever the true points are?
pub fn chords(random: &mut Random, pairs: u64) -> [Worst; 3] {
    const LEGS: usize = 1_024;
    let mut apart = Worst::new("chords apart (spread)");
    let mut whole = Worst::new("chord off its geodesic (s)");
    let mut along = Worst::new("the part along the surface (e)");
    let least = (pairs as f64).sqrt().ceil() as usize + 1;
    while apart.tried < pairs {
        let centre = somewhere(random);
        let length = random.one_of(&[48_000.0, 48_000.0, 10_000.0, 500.0, 200_000.0, 1e6]);
        let legs: Vec<Flown> = (0..LEGS.min(2 * least))
            .map(|_| flown(random, centre, length))
            .collect();
        for leg in &legs {
            for k in 0..FRACTIONS {
                let off = leg.truth[k] - leg.chord[k];
                let up = normal(leg.truth[k]);
                whole.see(off.norm() / (leg.sag + NOISE_M));
                along.see((off - up * off.dot(up)).norm() / (leg.tangential + NOISE_M));
            }
        }
        for (k, a) in legs.iter().enumerate() {
            for b in &legs[k + 1..] {
                let (s, e) = (a.sag.max(b.sag), a.tangential.max(b.tangential));
                let mut worst = 0.0_f64;
                for at in 0..FRACTIONS {
                    let true2 = (a.truth[at] - b.truth[at]).norm2();
                    let chord2 = (a.chord[at] - b.chord[at]).norm2();
                    if chord2 > true2 {
                        let (d, q) = (true2.sqrt(), chord2.sqrt());
                        worst = worst.max((q - d) / (spread(d, s, e) + NOISE_M - d));
                    }
                }
                apart.see(worst);
            }
        }
    }
    [apart, whole, along]
}

/// How much shorter than the geodesic is the straight line, at least and at most?
pub fn shortenings(random: &mut Random, count: u64) -> [Worst; 2] {
    let mut upper = Worst::new("straight distance of a geodesic (C)");
    let mut lower = Worst::new("geodesic over a straight distance (arc)");
    for _ in 0..count {
        let (lat, lon) = somewhere(random);
        let g = metres(random, 1.0, 1.9e7);
        let (lat2, lon2, _) = direct(lat, lon, random.between(0.0, 360.0), g).unwrap();
        let d = (surface(lat, lon) - surface(lat2, lon2)).norm();
        // Beyond half a turn it is no longer the shortest; that only lengthens it.
        upper.see((g - chord(g)) / ((g - d).max(0.0) + NOISE_M));
        let g = distance((lat, lon), (lat2, lon2));
        lower.see((g - d) / (arc(d) - d + NOISE_M));
    }
    [upper, lower]
}

/// The closed form of a point on a leg against the geodesic.
pub fn near_points(random: &mut Random, count: u64) -> Worst {
    let mut worst = Worst::new("near_point (1 mm)");
    for _ in 0..count {
        let (lat0, lon0) = somewhere(random);
        let length = metres(random, 1.0, 50_000.0);
        let length = if random.chance(0.5) { 50_000.0 } else { length };
        let (lat1, lon1, _) = direct(lat0, lon0, random.between(0.0, 360.0), length).unwrap();
        let leg = Leg {
            lat0,
            lon0,
            lat1,
            lon1,
        };
        let fraction = random.unit();
        let (a, b) = (leg.near_point(fraction), leg.point(fraction));
        worst.see((surface(a.0, a.1) - surface(b.0, b.1)).norm() / NEAR_POINT_M);
    }
    worst
}

/// The closed form of a distance against the geodesic.
pub fn near_distances(random: &mut Random, count: u64) -> Worst {
    let mut worst = Worst::new("near_distance (10 µm)");
    for _ in 0..count {
        let (lat0, lon0) = somewhere(random);
        let far = metres(random, 1e-6, 20_000.0);
        let far = if random.chance(0.5) { 20_000.0 } else { far };
        let (lat1, lon1, _) = direct(lat0, lon0, random.between(0.0, 360.0), far).unwrap();
        let (a, b) = ((lat0, lon0), (lat1, lon1));
        worst.see((near_distance(a, b) - distance(a, b)).abs() / NEAR_DISTANCE_M);
    }
    worst
}

/// Sine and cosine against whole numbers of 2⁻⁶².
pub fn sines(random: &mut Random, count: u64) -> Worst {
    const ALLOWED: f64 = 2e-16;
    let mut worst = Worst::new("sincos_deg (2·10⁻¹⁶)");
    for _ in 0..count {
        let deg = match random.below(4) {
            0 => random.between(-360.0, 360.0),
            1 => (random.between(-8.0, 8.0).round() * 45.0) + metres(random, 1e-12, 1.0),
            2 => (random.between(-3.6e9, 3.6e9)).round() / 1e7,
            _ => random.between(-45.0, 45.0),
        };
        let (s, c) = sincos_deg(deg);
        let (sine, cosine) = exact_sincos(deg);
        worst.see((s - sine).abs().max((c - cosine).abs()) / ALLOWED);
    }
    worst
}

/// The Taylor series in whole numbers of 2⁻⁶², rounded once at the end.
fn exact_sincos(deg: f64) -> (f64, f64) {
    const ONE: i128 = 1 << 62;
    const PI_OVER_180: i128 = 80_489_105_089_745_809; // π/180 · 2⁶²
    let quarter = (deg / 90.0).round();
    let rest = deg - quarter * 90.0; // exact: both are multiples of one power of two
    let rest = (rest * (1_u64 << 54) as f64) as i128;
    let x = (rest * PI_OVER_180) >> 54;
    let times = |a: i128, b: i128| (a * b) >> 62;
    let (mut sine, mut cosine, mut term) = (0, 0, ONE);
    for n in 0..24 {
        match n % 4 {
            0 => cosine += term,
            1 => sine += term,
            2 => cosine -= term,
            _ => sine -= term,
        }
        term = times(term, x) / (n + 1);
    }
    let (s, c) = (sine as f64 / ONE as f64, cosine as f64 / ONE as f64);
    match (quarter as i64).rem_euclid(4) {
        0 => (s, c),
        1 => (c, -s),
        2 => (-s, -c),
        _ => (-c, s),
    }
}

fn bounding(ticks: Ticks) -> Bounding {
    let minima = Minima {
        count: 1,
        lateral_m: vec![0.0],
        vertical_tmm: vec![1],
    };
    let references = References {
        count: 1,
        comparable: vec![1],
        offset_lo_tmm: vec![0],
        offset_hi_tmm: vec![0],
    };
    Bounding::new(&minima, &references, 0, 0, ticks)
}

/// The single-precision filter at the very distance at which it may no longer exclude.
pub fn lanes(random: &mut Random, pairs: u64) -> Worst {
    const MANY: usize = 512;
    let mut worst = Worst::new("single precision (κ = 64 units)");
    let (mut lanes, mut found) = (Lanes::default(), Vec::new());
    while worst.tried < pairs {
        let lasting_us = metres(random, 1e3, 2e17) as i64;
        let ticks = Ticks::new(0, lasting_us);
        let last = ticks.ceil(lasting_us).max(1);
        let bounding = bounding(ticks);
        let second = ticks.seconds();
        let spread_m = metres(random, 1e-2, 6e6);
        let fastest = metres(random, 1e-6, 2e10);
        let around = [(); 3].map(|()| random.between(-6e6, 6e6));
        let from = (random.unit() * f64::from(last)) as u32;
        let span = metres(random, 1.0, f64::from(last)) as u32;
        let mut stretch = |from: Option<u32>| {
            let own = metres(random, 1.0, f64::from(span.max(2))) as u32;
            let start = from.unwrap_or_else(|| (random.unit() * f64::from(span)) as u32);
            let from = start.min(last);
            let to = from.saturating_add(own).min(last);
            Stretch {
                place: around.map(|x: f64| {
                    let x = x + spread_m * random.between(-1.0, 1.0);
                    (x.clamp(-6.4e6, 6.4e6) * STEPS_PER_M) as i32
                }),
                velocity: [(); 3].map(|()| (fastest * random.between(-1.0, 1.0)) as f32),
                at: from + ((to - from) as f64 * random.one_of(&[0.0, 0.0, 0.3])) as u32,
                from,
                to,
                reach: 0.0,
                climb: [0; 2],
                off_climb: i32::MAX,
                object: 0,
                first: 0,
                party: 0,
            }
        };
        let mut one = stretch(Some(from));
        one.reach = spread_m as f32;
        let others: Vec<Stretch> = (0..MANY)
            .map(|k| stretch([None, Some(from), Some(one.to)][k % 3]))
            .collect();
        let frame_at = if random.chance(0.5) { &one } else { &others[0] };
        let frame = Frame::around(frame_at, &bounding);
        let zero = *frame_at;
        lanes.clear();
        lanes.push(0, ALL_CORNERS, &one, &frame);
        let since = |tick: u32, s: u32| (f64::from(tick) - f64::from(s)) * second;
        let motion = |s: &Stretch, tick: u32| {
            let place = s.place.map(|x| f64::from(x) / STEPS_PER_M);
            let [vx, vy, vz] = s.velocity.map(f64::from);
            Vec3::new(place[0], place[1], place[2]) + Vec3::new(vx, vy, vz) * since(tick, s.at)
        };
        let size = |s: &Stretch| {
            let v = s.velocity.iter().map(|x| f64::from(x.abs())).sum::<f64>();
            let o = zero.place.map(|x| f64::from(x) / STEPS_PER_M);
            let x = motion(s, zero.at) - Vec3::new(o[0], o[1], o[2]);
            let far = since(s.from, zero.at).abs().max(since(s.to, zero.at).abs());
            let far = far + since(s.at, zero.at).abs();
            x.x.abs() + x.y.abs() + x.z.abs() + v * far + f64::from(s.reach)
        };
        // How much of what is allowed for rounding is taken away from each pair's reach.
        let mut taken = Vec::with_capacity(MANY + 1);
        taken.push(f64::NAN);
        for (index, other) in (1..).zip(&others) {
            let (start, end) = (one.from.max(other.from), one.to.min(other.to));
            let mut other = *other;
            taken.push(f64::NAN);
            if start <= end {
                let p = motion(&one, start) - motion(&other, start);
                let q = motion(&one, end) - motion(&other, end);
                let apart = deconflict_kernel::interval::point_to_segment(Vec3::ZERO, p, q).0;
                let allowed = 64.0 * UNIT * (size(&one) + size(&other) + apart);
                let share = random.one_of(&[0.0, 0.0, 1.0]) * random.unit();
                let wanted = apart - f64::from(one.reach) - share * allowed;
                if wanted >= 0.0 && wanted.is_finite() {
                    other.reach = above(wanted);
                    taken[index as usize] = share;
                }
            }
            other.party = 1;
            lanes.push(index, ALL_CORNERS, &other, &frame);
        }
        found.clear();
        pairs_near(&mut lanes, 1, false, &mut found);
        let mut is_found = vec![false; MANY + 1];
        for &(_, other) in &found {
            is_found[other as usize] = true;
        }
        for (share, found) in taken.iter().zip(is_found).skip(1) {
            if share.is_finite() {
                // Excluded although only so much was taken: the rest went to rounding.
                worst.see(if found {
                    0.0
                } else if *share == 0.0 {
                    f64::INFINITY
                } else {
                    1.0 - share
                });
            }
        }
    }
    worst
}

/// The straight motion and steady climb of a stretch against the pieces that they stand for.
pub fn motions(random: &mut Random, count: u64) -> [Worst; 2] {
    let mut place = Worst::new("a stretch's place (ticks, steps, windows)");
    let mut height = Worst::new("a stretch's altitude (climb)");
    let zeros = [0.0; 16];
    while place.tried < count {
        let vertices = 2 + random.below(7);
        let start = (random.between(-1e11, 9e10) * 1e3).round() as i64 * 1_000;
        let mut times = vec![start];
        let lasting = metres(random, 1e-3, 1e7);
        let step_m = metres(random, 1e-3, 48_000.0);
        let climbs = metres(random, 1.0, 2e10);
        let first = random.between(-1e10, 1e10) as i64;
        let mut heights = vec![first];
        let (lat, lon) = somewhere(random);
        let mut places = vec![surface(lat, lon)];
        for k in 1..vertices {
            let ms = (lasting * 1e3 * random.unit()).round().max(1.0) as i64;
            times.push(times[k - 1] + ms * 1_000);
            let by = [(); 3].map(|()| step_m * random.between(-0.5, 0.5));
            places.push(places[k - 1] + Vec3::new(by[0], by[1], by[2]));
            let climb = (climbs * random.between(-1.0, 1.0)) as i64;
            heights.push((heights[k - 1] + climb).clamp(-10_000_000_000, 10_000_000_000));
        }
        let window_us = random.one_of(&[0, 0, 1_000, 60_000_000, 1_000_000_000_000]);
        let end = *times.last().unwrap();
        let before = metres(random, 1.0, 1e17) as i64;
        let ticks = Ticks::new(start - window_us - before, end + window_us);
        let zero_us = start - window_us - before;
        let digest = Digest::default();
        let track = Track {
            span_us: (start, end),
            times_us: &times,
            lat_deg: &zeros[..vertices],
            lon_deg: &zeros[..vertices],
            altitudes_tmm: &heights,
            vertex_us: &times,
            places: &places,
            legs: &[],
            digest: &digest,
            lateral_m: 0.0,
            vertical_tmm: 0,
            window_us,
            party: 0,
            purpose: 0,
            reference: 0,
            side: 0,
        };
        let base = heights[random.below(vertices)];
        let around = Bounding::new(
            &Minima {
                count: 1,
                lateral_m: vec![0.0],
                vertical_tmm: vec![1],
            },
            &References {
                count: 1,
                comparable: vec![1],
                offset_lo_tmm: vec![0],
                offset_hi_tmm: vec![0],
            },
            0,
            base,
            ticks,
        );
        let s = around.track(0, &track, 0..vertices - 1);
        let straight = places.windows(2).map(|p| (p[1] - p[0]).norm());
        let longest = bounds::arc(straight.fold(0.0, f64::max));
        // What is only there for chords is no help here.
        let own = f64::from(s.reach) - 2.0 * sag(longest) - 4.0 * tangential(longest);
        for _ in 0..8 {
            let k = random.below(vertices - 1);
            let f = random.unit();
            let f = random.one_of(&[0.0, 1.0, 0.5, f]);
            let own_us = times[k] + ((times[k + 1] - times[k]) as f64 * f) as i64;
            let f = (own_us - times[k]) as f64 / (times[k + 1] - times[k]) as f64;
            let truth = places[k] + (places[k + 1] - places[k]) * f;
            let shift = (window_us as f64 * random.one_of(&[-1.0, 0.0, 1.0])) as i64;
            let at_us = own_us + shift - zero_us;
            let tick_us = (ticks.seconds() * 1e6).round() as i64;
            let within = i64::from(s.from) * tick_us <= at_us && at_us <= i64::from(s.to) * tick_us;
            // Whole ticks apart first: then nothing is lost of the microseconds.
            let since = |tick: u32| (at_us - i64::from(tick) * tick_us) as f64 * 1e-6;
            let [x, y, z] = s.place.map(|x| f64::from(x) / STEPS_PER_M);
            let [vx, vy, vz] = s.velocity.map(f64::from);
            let motion = Vec3::new(x, y, z) + Vec3::new(vx, vy, vz) * since(s.at);
            let off = (truth - motion).norm();
            place.see(if within { off / own } else { f64::INFINITY });
            if s.off_climb == i32::MAX {
                continue;
            }
            let [h0, h1] = s.climb.map(f64::from);
            let lasts = (i64::from(s.to) - i64::from(s.from)) as f64 * ticks.seconds();
            let h = h0 + (h1 - h0) / lasts * since(s.from);
            let h0 = heights[k] - base;
            let truth = h0 as f64 + (heights[k + 1] - heights[k]) as f64 * f;
            // What lies beyond ±200 km counts as there.
            let truth = truth.clamp(-2e9, 2e9);
            // A level flight is off by nothing.
            height.see((truth - h).abs() / f64::from(s.off_climb).max(0.5));
        }
    }
    [place, height]
}
