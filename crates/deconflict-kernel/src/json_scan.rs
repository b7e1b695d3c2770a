//! Steps through JSON that is spelled as usual. Every step answers `None` at the first thing out of
//! the common, and whoever steps then leaves the whole to somebody slower.

use crate::json_printable::is_printable;

/// Numbers spelled with more characters are left.
const LONGEST_NUMBER: usize = 64;
const POWERS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Where something stands in the text, its quotes left out.
pub type Spot = (usize, usize);

pub struct Scan<'a> {
    pub text: &'a [u8],
    pub at: usize,
}

impl<'a> Scan<'a> {
    /// Reads an object of one member at least, each by the given function.
    pub fn object<S>(
        state: &mut S,
        of: fn(&mut S) -> &mut Scan<'a>,
        mut member: impl FnMut(&mut S, &'a [u8]) -> Option<()>,
    ) -> Option<()> {
        of(state).expect(b'{')?;
        loop {
            let name = of(state).word()?;
            of(state).expect(b':')?;
            member(state, name)?;
            match of(state).step()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Reads an array of one item at least, each by the given function; how many there were.
    pub fn array<S>(
        state: &mut S,
        of: fn(&mut S) -> &mut Scan<'a>,
        mut item: impl FnMut(&mut S) -> Option<()>,
    ) -> Option<usize> {
        of(state).expect(b'[')?;
        let mut count = 0;
        loop {
            item(state)?;
            count += 1;
            match of(state).step()? {
                b',' => {}
                b']' => return Some(count),
                _ => return None,
            }
        }
    }

    /// Longitude, latitude, and the height where there is one.
    pub fn place(&mut self) -> Option<(f64, f64, Option<f64>)> {
        self.expect(b'[')?;
        let lon = self.number()?;
        self.expect(b',')?;
        let lat = self.number()?;
        match self.step()? {
            b']' => Some((lon, lat, None)),
            b',' => {
                let height = self.number()?;
                self.expect(b']')?;
                Some((lon, lat, Some(height)))
            }
            _ => None,
        }
    }

    /// A finite number as JSON spells it: no leading zeros, plus signs or bare points.
    pub fn number(&mut self) -> Option<f64> {
        self.skip();
        let from = self.at;
        let negative = self.text.get(from) == Some(&b'-');
        let mut at = from + usize::from(negative);
        let (mut mantissa, mut point) = (0_u64, None);
        let first = at;
        loop {
            match self.text.get(at) {
                // Eighteen digits and a point stay below 2^63; what is longer is read again below.
                Some(digit @ b'0'..=b'9') if at - first < 18 => {
                    mantissa = mantissa * 10 + u64::from(digit - b'0');
                }
                Some(b'0'..=b'9') => {}
                Some(b'.') if point.is_none() => point = Some(at),
                _ => break,
            }
            at += 1;
        }
        let whole = point.unwrap_or(at) - first;
        let decimals = point.map_or(0, |point| at - point - 1);
        let plain = whole > 0
            && (whole == 1 || self.text[first] != b'0')
            && (point.is_none() || decimals > 0);
        if !plain {
            return None;
        }
        let raised = matches!(self.text.get(at), Some(b'e' | b'E'));
        if raised {
            at += 1;
            at += usize::from(matches!(self.text.get(at), Some(b'+' | b'-')));
            let digits = at;
            while matches!(self.text.get(at), Some(b'0'..=b'9')) {
                at += 1;
            }
            (at > digits).then_some(())?;
        }
        if matches!(self.text.get(at), Some(b'e' | b'E' | b'+' | b'-' | b'.'))
            || at - from > LONGEST_NUMBER
        {
            return None;
        }
        self.at = at;
        // A quotient of two numbers that a double holds exactly is rounded once, as parsing is.
        let value = if !raised && whole + decimals <= 15 {
            mantissa as f64 / POWERS[decimals]
        } else {
            let said = std::str::from_utf8(&self.text[first..at]).ok()?;
            said.parse::<f64>().ok().filter(|value| value.is_finite())?
        };
        Some(if negative { -value } else { value })
    }

    /// Steps over `null`, if that is next; says whether it was.
    pub fn null(&mut self) -> bool {
        self.skip();
        let here = self.text.get(self.at..self.at + 4) == Some(b"null");
        self.at += if here { 4 } else { 0 };
        here
    }

    /// Steps over what says nothing here: `null`, or an array of numbers.
    pub fn set_aside(&mut self) -> Option<()> {
        if self.null() {
            return Some(());
        }
        Scan::array(self, |scan| scan, |scan| scan.number().map(|_| ())).map(|_| ())
    }

    /// Steps over an array of numbers and of such arrays, whatever its shape; where it stands.
    pub fn array_of_numbers(&mut self) -> Option<Spot> {
        self.skip();
        let from = self.at;
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at)? {
                b'[' => depth += 1,
                b']' => depth = depth.checked_sub(1)?,
                b'0'..=b'9' | b'.' | b',' | b'-' | b'+' | b'e' | b'E' => {}
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => return None,
            }
            self.at += 1;
            if depth == 0 {
                return Some((from, self.at));
            }
        }
    }

    /// A text of plain characters without escapes. An empty one is out of the common.
    pub fn word(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let from = self.at;
        loop {
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' => return None,
                c if !(b' '..=b'~').contains(&c) => return None,
                _ => self.at += 1,
            }
        }
        let word = &self.text[from..self.at];
        self.at += 1;
        (!word.is_empty()).then_some(word)
    }

    /// A text of 1 to so many printable characters, some of them escaped: [`spelled_out`] reads it.
    pub fn name(&mut self, most: usize) -> Option<Spot> {
        self.expect(b'"')?;
        let from = self.at;
        let mut count = 0;
        loop {
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.escaped()?,
                b' '..=b'~' => self.at += 1,
                _ => {
                    let (code, length) = character(self.text.get(self.at..)?)?;
                    is_printable(code).then_some(())?;
                    self.at += length;
                }
            }
            count += 1;
        }
        let spot = (from, self.at);
        self.at += 1;
        (1..=most).contains(&count).then_some(spot)
    }

    /// A name, or a whole number that stands for one.
    pub fn name_or_number(&mut self, most: usize) -> Option<Spot> {
        self.skip();
        if self.text.get(self.at) == Some(&b'"') {
            return self.name(most);
        }
        let from = self.at;
        self.number()?;
        let digits = self.text[from..self.at].strip_prefix(b"-");
        let digits = digits.unwrap_or(&self.text[from..self.at]);
        // Minus zero is written as zero, and what is no whole number in a way of its own.
        let whole = digits.iter().all(u8::is_ascii_digit) && digits.len() <= 15;
        (whole && &self.text[from..self.at] != b"-0").then_some((from, self.at))
    }

    fn escaped(&mut self) -> Option<()> {
        match self.text.get(self.at + 1)? {
            b'"' | b'\\' | b'/' => self.at += 2,
            b'u' => {
                let (code, length) = escaped_code(self.text.get(self.at..)?)?;
                ((0x20..=0x7E).contains(&code) || is_printable(code)).then_some(())?;
                self.at += length;
            }
            _ => return None,
        }
        Some(())
    }

    pub fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.step()? == wanted).then_some(())
    }

    /// The next character that is no white space.
    pub fn step(&mut self) -> Option<u8> {
        self.skip();
        let found = *self.text.get(self.at)?;
        self.at += 1;
        Some(found)
    }

    pub fn skip(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }
}

/// What a name of [`Scan::name`] says.
pub fn spelled_out(raw: &[u8]) -> String {
    let mut said = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|&c| c == b'\\') {
        said.push_str(&String::from_utf8_lossy(&rest[..at]));
        let (code, length) = match rest.get(at + 1) {
            Some(b'u') => escaped_code(&rest[at..]).map_or((None, 6), |(c, n)| (Some(c), n)),
            other => (other.map(|&c| u32::from(c)), 2),
        };
        said.extend(code.and_then(char::from_u32));
        rest = rest.get(at + length..).unwrap_or(b"");
    }
    said.push_str(&String::from_utf8_lossy(rest));
    said
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |sum, &c| Some(sum * 16 + char::from(c).to_digit(16)?))
}

/// The character that an escape such as `\u00e4` says at the beginning of a text, or two of them for
/// one beyond 16 bits; and how long that is.
fn escaped_code(text: &[u8]) -> Option<(u32, usize)> {
    let code = hex(text.get(2..6)?)?;
    if !(0xD800..0xDC00).contains(&code) {
        return Some((code, 6));
    }
    let second = text.get(6..8)? == b"\\u";
    let low = hex(text.get(8..12)?)?;
    (second && (0xDC00..0xE000).contains(&low)).then_some(())?;
    Some((0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), 12))
}

/// The character of two to four bytes that a text begins with, and how many they are.
fn character(text: &[u8]) -> Option<(u32, usize)> {
    let length = match text.first()? {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let said = std::str::from_utf8(text.get(..length)?).ok()?;
    Some((said.chars().next()?.into(), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Scan<'_> {
        Scan {
            text: text.as_bytes(),
            at: 0,
        }
    }

    #[test]
    fn numbers_are_read_as_json_has_them() {
        for good in [
            "0",
            "-0",
            "10",
            "0.5",
            "1e3",
            "1E+03",
            "-1.25e-2",
            "123456789012345678901",
            "5e-324",
        ] {
            let found = scan(good).number();
            assert_eq!(found, good.parse().ok(), "{good}");
        }
        for bad in [
            "", "-", "01", "1.", ".5", "+1", "1e", "1e+", "1e400", "1.2.3", "1e2.5",
        ] {
            assert_eq!(scan(bad).number(), None, "{bad}");
        }
        assert_eq!(scan(&"1".repeat(65)).number(), None);
    }

    #[test]
    fn names_are_counted_in_characters_and_spelled_out() {
        for (raw, said) in [
            (r#""transit""#, "transit"),
            (r#""Борт 12 «А»""#, "Борт 12 «А»"),
            (
                r#""\u0411\u043e\u0440\u0442 \"A\" \/ \\ \u0020B""#,
                "Борт \"A\" / \\  B",
            ),
            (r#""海上""#, "海上"),
            (r#""✈️ 🛫""#, "✈️ 🛫"),
            (r#""\ud83d\udeeb \u2708""#, "🛫 ✈"),
        ] {
            let (from, to) = scan(raw).name(64).expect(raw);
            assert_eq!(spelled_out(&raw.as_bytes()[from..to]), said);
            assert!(scan(raw).name(said.chars().count()).is_some());
            assert!(scan(raw).name(said.chars().count() - 1).is_none());
        }
        for odd in [
            r#""""#,
            "\"a\nb\"",
            r#""a\nb""#,
            r#""\ud83d""#,
            r#""\ud83d\u0041""#,
            r#""\ude00\ud83d""#,
            r#""\u200d""#,
            "\"\u{a0}\"",
            r#""a"#,
        ] {
            assert!(scan(odd).name(64).is_none(), "{odd}");
        }
        assert!(Scan {
            text: b"\"\xC0\xA0\"",
            at: 0
        }
        .name(64)
        .is_none());
    }

    #[test]
    fn whole_numbers_name_too() {
        for (said, wanted) in [("12 ", true), ("-7", true), ("-0", false), ("1.0", false)] {
            assert_eq!(scan(said).name_or_number(64).is_some(), wanted, "{said}");
        }
    }
}
