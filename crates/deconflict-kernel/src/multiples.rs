//! The multiples of one point of the curve, made once, so that multiplying it is adding alone.
//!
//! For signatures, where nothing is secret: which rows are looked up shows in the time it takes.
//! The arithmetic is curve25519-dalek's. Its own table of a point is eight times smaller, and looks
//! at each row for each digit, so that a secret scalar stays one; that costs twice the time.

use crate::prefetch::whole_soon;
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;

const DIGITS: usize = 32; // base 256
const ROWS: usize = 128; // a digit is at least -127 and at most 128

/// A point's multiples 1 to 128 times each power of 256: 640 KiB, about the work of 60 signatures.
pub struct Multiples(Vec<EdwardsPoint>);

/// A scalar in base 256, its digits from -127 to 128, the least first.
pub struct Digits([i16; DIGITS]);

impl Digits {
    pub fn of(scalar: &Scalar) -> Self {
        let mut carry = 0;
        // A scalar is below 2^253, so the last digit has nothing to carry.
        Self(scalar.to_bytes().map(|byte| {
            let digit = i16::from(byte) + carry;
            carry = i16::from(digit > ROWS as i16);
            digit - 256 * carry
        }))
    }
}

impl Multiples {
    pub fn new(point: &EdwardsPoint) -> Self {
        let mut found = Vec::with_capacity(DIGITS * ROWS);
        let mut power = *point;
        for _ in 0..DIGITS {
            let mut multiple = power;
            found.push(multiple);
            for _ in 1..ROWS {
                multiple += power;
                found.push(multiple);
            }
            power = multiple + multiple;
        }
        Self(found)
    }

    /// Ask for the rows that [`Self::add_to`] will look up. Changes no answer.
    pub fn ask_for(&self, digits: &Digits) {
        for (place, &digit) in digits.0.iter().enumerate() {
            if digit != 0 {
                whole_soon(&self.0, row(place, digit));
            }
        }
    }

    /// `sum` and so many times the point.
    pub fn add_to(&self, mut sum: EdwardsPoint, digits: &Digits) -> EdwardsPoint {
        for (place, &digit) in digits.0.iter().enumerate() {
            if digit > 0 {
                sum += &self.0[row(place, digit)];
            } else if digit < 0 {
                sum -= &self.0[row(place, digit)];
            }
        }
        sum
    }
}

fn row(place: usize, digit: i16) -> usize {
    place * ROWS + usize::from(digit.unsigned_abs()) - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use curve25519_dalek::traits::Identity;
    use sha2::{Digest, Sha512};

    fn scalars() -> impl Iterator<Item = Scalar> {
        let small = [0_u64, 1, 127, 128, 129, 255, 256, 0x8080, 0x8081, 0xffff].map(Scalar::from);
        let each_byte = [0x7f, 0x80, 0x81, 0xff].map(|byte| {
            let mut bytes = [byte; 32];
            bytes[31] = 0x0f; // below the order, which is 0x10 and more
            Scalar::from_canonical_bytes(bytes).unwrap()
        });
        let drawn = (0..200_u32)
            .map(|n| Scalar::from_bytes_mod_order_wide(&Sha512::digest(n.to_le_bytes()).into()));
        let largest = -Scalar::ONE;
        small
            .into_iter()
            .chain(each_byte)
            .chain([largest])
            .chain(drawn)
    }

    #[test]
    fn digits_say_the_scalar() {
        for scalar in scalars() {
            let said = Digits::of(&scalar)
                .0
                .iter()
                .rev()
                .fold(Scalar::ZERO, |sum, &digit| {
                    assert!((-127..=128).contains(&digit));
                    let size = Scalar::from(u64::from(digit.unsigned_abs()));
                    sum * Scalar::from(256_u64) + if digit < 0 { -size } else { size }
                });
            assert_eq!(said, scalar);
        }
    }

    #[test]
    fn a_multiple_is_what_the_curve_says_also_of_points_of_small_order() {
        for torsion in EIGHT_TORSION {
            for point in [
                ED25519_BASEPOINT_POINT * Scalar::from(9_u64) + torsion,
                torsion,
            ] {
                let multiples = Multiples::new(&point);
                for scalar in scalars() {
                    let digits = Digits::of(&scalar);
                    let sum = multiples.add_to(EdwardsPoint::identity(), &digits);
                    assert_eq!(sum.compress(), (scalar * point).compress());
                }
            }
        }
    }
}
