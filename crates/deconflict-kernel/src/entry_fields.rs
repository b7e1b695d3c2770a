//! What the fields of an exported entry say, each in its one spelling; `None` for every other one.

/// SHA-256.
pub type Hash = [u8; 32];

/// An entry of a chain: its epoch in 32 hex digits, its number, its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub epoch: [u8; 32],
    pub seq: u64,
    pub hash: Hash,
}

/// What standard base64 with its padding says, where this is the one spelling of it.
pub(crate) fn bytes_of(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(4) {
        return None;
    }
    let padded = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    if padded > 2 {
        return None;
    }
    let mut found = Vec::with_capacity(text.len() / 4 * 3);
    let (whole, last) = text.split_at(text.len() - 4);
    for four in whole.chunks_exact(4) {
        let mut bits = 0_u32;
        for &letter in four {
            bits = bits << 6 | u32::from(sextet(letter)?);
        }
        found.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    let mut bits = 0_u32;
    for &letter in &last[..4 - padded] {
        bits = bits << 6 | u32::from(sextet(letter)?);
    }
    bits <<= 6 * padded;
    let three = &bits.to_be_bytes()[1..];
    found.extend_from_slice(&three[..3 - padded]);
    three[3 - padded..]
        .iter()
        .all(|&byte| byte == 0)
        .then_some(found)
}

const NO_LETTER: u8 = 0xff;
const SEXTETS: [u8; 256] = {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [NO_LETTER; 256];
    let mut value = 0;
    while value < letters.len() {
        table[letters[value] as usize] = value as u8;
        value += 1;
    }
    table
};

fn sextet(letter: u8) -> Option<u8> {
    let value = SEXTETS[usize::from(letter)];
    (value != NO_LETTER).then_some(value)
}

pub(crate) fn epoch_from(text: &[u8]) -> Option<[u8; 32]> {
    let epoch = <[u8; 32]>::try_from(text).ok()?;
    epoch
        .iter()
        .all(|&digit| nibble(digit).is_some())
        .then_some(epoch)
}

pub(crate) fn hash_from(text: &[u8]) -> Option<Hash> {
    if text.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, two) in hash.iter_mut().zip(text.chunks_exact(2)) {
        *byte = nibble(two[0])? << 4 | nibble(two[1])?;
    }
    Some(hash)
}

/// Lower case only: a hash has one spelling.
fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

pub(crate) fn is_name(text: &[u8]) -> bool {
    (1..=63).contains(&text.len())
        && text[0].is_ascii_alphanumeric()
        && text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

pub(crate) fn is_code(text: &[u8]) -> bool {
    (1..=32).contains(&text.len())
        && text[0].is_ascii_uppercase()
        && text
            .iter()
            .all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

pub(crate) fn is_language(text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == b'-');
    let primary = parts.next().is_some_and(|part| {
        (2..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_lowercase)
    });
    let mut more = 0;
    primary
        && parts.all(|part| {
            more += 1;
            more <= 3 && (2..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric)
        })
}

const UTC_SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

pub(crate) fn is_utc_text(text: &[u8]) -> bool {
    text.len() == UTC_SHAPE.len()
        && text.iter().zip(UTC_SHAPE).all(|(&byte, &shape)| {
            if shape == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == shape
            }
        })
}

/// True exactly when there is such an instant, in the years 1970 to 2199.
pub(crate) fn is_instant(text: &[u8]) -> bool {
    if !is_utc_text(text) {
        return false;
    }
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1970..2200).contains(&year)
        && (1..=days).contains(&day)
        && number(11, 13) < 24
        && number(14, 16) < 60
        && number(17, 19) < 60
}
