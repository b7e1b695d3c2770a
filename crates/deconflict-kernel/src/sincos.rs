//! Sine and cosine of degrees: the same bits on every platform, and without branches, so that a
//! loop over many angles runs in vector registers.
//!
//! The remainder to the nearest quarter turn is exact; what follows are the Taylor-like minimax
//! polynomials on ±45° that fdlibm uses (Sun Microsystems, public constants), good to 2⁻⁵⁷. With the
//! one rounding of the conversion to radians the result is within 2·10⁻¹⁶ of the truth: a nanometre
//! on the Earth.

const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;
/// Adding and taking away 1.5 · 2⁵² rounds to the nearest whole number (ties to even), which then
/// stands in the last bits.
const WHOLE: f64 = 6_755_399_441_055_744.0;

const S1: f64 = -1.666_666_666_666_663_2e-1;
const S2: f64 = 8.333_333_333_322_49e-3;
const S3: f64 = -1.984_126_982_985_795e-4;
const S4: f64 = 2.755_731_370_707_006_8e-6;
const S5: f64 = -2.505_076_025_340_686_3e-8;
const S6: f64 = 1.589_690_995_211_55e-10;
const C1: f64 = 4.166_666_666_666_66e-2;
const C2: f64 = -1.388_888_888_887_411e-3;
const C3: f64 = 2.480_158_728_947_673e-5;
const C4: f64 = -2.755_731_435_139_066_3e-7;
const C5: f64 = 2.087_572_321_298_175e-9;
const C6: f64 = -1.135_964_755_778_819_5e-11;

/// Sine and cosine of `deg` degrees, for |deg| up to 10⁶; beyond, and for what is no number, the
/// answer is some number or NaN, and nothing panics.
#[inline(always)]
pub fn sincos_deg(deg: f64) -> (f64, f64) {
    let shifted = deg * (1.0 / 90.0) + WHOLE;
    let quarter = shifted - WHOLE;
    let quadrant = shifted.to_bits();
    // Exact: both are whole multiples of one power of two, and the difference is small.
    let x = (deg - quarter * 90.0) * RADIANS_PER_DEGREE;
    let z = x * x;
    let w = z * z;
    let r = S2 + z * (S3 + z * S4) + z * w * (S5 + z * S6);
    let sine = x + (z * x) * (S1 + z * r);
    let r = z * (C1 + z * (C2 + z * C3)) + w * w * (C4 + z * (C5 + z * C6));
    let half = 0.5 * z;
    let near_one = 1.0 - half;
    let cosine = near_one + (((1.0 - near_one) - half) + z * r);
    // An odd quarter swaps the two; the second bit of the quarter is the sign.
    let odd = 0_u64.wrapping_sub(quadrant & 1);
    let (s, c) = (sine.to_bits(), cosine.to_bits());
    let swap = (s ^ c) & odd;
    let sign = |quarters: u64| (quarters & 2) << 62;
    (
        f64::from_bits((s ^ swap) ^ sign(quadrant)),
        f64::from_bits((c ^ swap) ^ sign(quadrant.wrapping_add(1))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_exact() {
        let right = |deg: f64| {
            let (s, c) = sincos_deg(deg);
            (s as i32, c as i32, s.fract() == 0.0 && c.fract() == 0.0)
        };
        assert_eq!(right(0.0), (0, 1, true));
        assert_eq!(right(90.0), (1, 0, true));
        assert_eq!(right(-90.0), (-1, 0, true));
        assert_eq!(right(180.0), (0, -1, true));
        assert_eq!(right(-180.0), (0, -1, true));
        assert_eq!(right(270.0), (-1, 0, true));
        assert_eq!(right(360.0), (0, 1, true));
    }

    #[test]
    fn every_angle_is_within_two_units_of_another_library() {
        let mut deg = -360.0;
        while deg <= 360.0 {
            let (s, c) = sincos_deg(deg);
            let (sin, cos) = libm::sincos(deg.to_radians());
            // `to_radians` rounds before the other library reduces: 5 units at 360°.
            let within = 3e-16 + f64::abs(deg) * 4e-18;
            assert!(
                (s - sin).abs() <= within && (c - cos).abs() <= within,
                "{deg}"
            );
            deg += 0.012_345_7;
        }
    }

    #[test]
    fn what_is_no_angle_is_no_number_and_no_panic() {
        assert!(sincos_deg(f64::NAN).0.is_nan());
        assert!(sincos_deg(f64::INFINITY).1.is_nan());
    }
}
