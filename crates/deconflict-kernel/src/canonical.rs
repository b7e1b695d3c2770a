//! Is a text surely the canonical form (RFC 8785) of what it says? Asked of every message.
//!
//! `deconflict.line.canonical` says what is canonical, and why another spelling is refused. Here is
//! one pass that finds the usual text canonical and never a text that is not; what it does not find
//! canonical, the other decides: fractions, numbers of sixteen digits and more, keys with escapes,
//! and characters beyond the basic plane, which RFC 8785 sorts in an order of their own.

const LONGEST_NUMBER: usize = 15; // digits: below 2^53, which every reader keeps exactly
const FOUR_BYTES: u8 = 0xF0; // begins a character beyond the basic plane in UTF-8

/// True only if `text` is one JSON value in canonical form, at most `max_depth` levels deep.
pub fn is_surely_canonical(text: &[u8], max_depth: usize) -> bool {
    if std::str::from_utf8(text).is_err() {
        return false;
    }
    let mut reader = Reader { text, at: 0 };
    reader.value(max_depth).is_some() && reader.at == text.len()
}

/// Where the value that begins at `at` ends, if it is surely canonical and at most `levels` deep.
///
/// `text` is sound UTF-8.
pub(crate) fn value_end(text: &[u8], at: usize, levels: usize) -> Option<usize> {
    let mut reader = Reader { text, at };
    reader.value(levels)?;
    Some(reader.at)
}

/// Each method reads one thing and moves behind it, or says `None`: not surely canonical.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, levels: usize) -> Option<()> {
        match self.text.get(self.at)? {
            b'{' => self.object(levels.checked_sub(1)?),
            b'[' => self.array(levels.checked_sub(1)?),
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn object(&mut self, levels: usize) -> Option<()> {
        self.at += 1;
        if self.took(b'}') {
            return Some(());
        }
        let mut before: Option<&[u8]> = None;
        loop {
            let key = self.string()?;
            // Without escapes, bytes of UTF-8 sort as UTF-16 does within the basic plane.
            if key.contains(&b'\\') || before.is_some_and(|before| before >= key) {
                return None;
            }
            before = Some(key);
            self.word(b":")?;
            self.value(levels)?;
            if self.took(b'}') {
                return Some(());
            }
            self.word(b",")?;
        }
    }

    fn array(&mut self, levels: usize) -> Option<()> {
        self.at += 1;
        if self.took(b']') {
            return Some(());
        }
        loop {
            self.value(levels)?;
            if self.took(b']') {
                return Some(());
            }
            self.word(b",")?;
        }
    }

    /// Return what stands between the quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.word(b"\"")?;
        let begin = self.at;
        loop {
            match self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.escape()?,
                0..=0x1F | FOUR_BYTES.. => return None,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(&self.text[begin..self.at - 1])
    }

    fn escape(&mut self) -> Option<()> {
        let rest = &self.text[self.at + 1..];
        let length = match rest.first()? {
            b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
            b'u' => {
                // A control character without a short form of its own, in small hex digits.
                let digits = rest.get(1..5)?;
                let low = match digits[3] {
                    digit @ b'0'..=b'9' => digit - b'0',
                    digit @ b'a'..=b'f' => digit - b'a' + 10,
                    _ => return None,
                };
                let sound = match &digits[..3] {
                    b"000" => !matches!(low, 8 | 9 | 10 | 12 | 13),
                    b"001" => true,
                    _ => false,
                };
                if !sound {
                    return None;
                }
                6
            }
            _ => return None,
        };
        self.at += length;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let negative = self.took(b'-');
        let digits = self.text[self.at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let first = self.text.get(self.at)?;
        let sound = match (first, digits) {
            (b'0', 1) => !negative,
            (b'1'..=b'9', 1..=LONGEST_NUMBER) => true,
            _ => false,
        };
        self.at += digits;
        // What follows is neither point nor exponent, or whoever reads on finds it out of place.
        sound.then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(())
    }

    fn took(&mut self, byte: u8) -> bool {
        let found = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surely(text: &str) -> bool {
        is_surely_canonical(text.as_bytes(), 3)
    }

    #[test]
    fn what_is_written_the_one_way_is_found() {
        for text in [
            "null",
            "0",
            "-1",
            "999999999999999",
            r#""""#,
            r#""\"\\\b\f\n\r\t\u0000\u001f""#,
            "\"é — Дейр\u{7f}\"",
            "{}",
            "[]",
            r#"{"A":1,"a":[true,false,{}],"б":null}"#,
        ] {
            assert!(surely(text), "{text}");
        }
    }

    #[test]
    fn what_is_written_another_way_or_may_be_is_not() {
        for text in [
            "",
            " 1",
            "1 ",
            "-0",
            "00",
            "01",
            "-",
            "1.5",
            "1e3",
            "1000000000000000",
            "1,",
            "nul",
            "True",
            r#"""#,
            r#""\""#,
            r#""\/""#,
            r#""\u0041""#,
            r#""\u000A""#,
            r#""\u0009""#,
            r#""\u001F""#,
            r#""\ud800""#,
            "\"\n\"",
            "\"\u{1f600}\"",
            r#"{"a":1,"a":1}"#,
            r#"{"b":1,"a":1}"#,
            r#"{"\n":1}"#,
            r#"{"a" :1}"#,
            r#"{"a":1,}"#,
            r#"{"a"}"#,
            r#"{1:1}"#,
            "[1,]",
            "[1",
            "[[[[]]]]",
            "{}{}",
        ] {
            assert!(!surely(text), "{text}");
        }
        assert!(!is_surely_canonical(b"\"\xed\xa0\x80\"", 3)); // a lone surrogate
        assert!(!is_surely_canonical(b"\"\xff\"", 3));
    }
}
