//! Reading texts that have one form: what is expected next, or nothing.

use crate::canonical::value_end;
use crate::entry_fields::{epoch_from, hash_from, is_name, Point};

const MOST_DEPTH: usize = 16;
const MOST_DIGITS: usize = 15; // a double holds every whole number of so many

/// Steps through a text. Every step answers `None` at the first thing out of the common.
pub(crate) struct Steps<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Steps<'a> {
    pub fn over(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Nothing is left.
    pub fn end(&self) -> Option<()> {
        (self.at == self.text.len()).then_some(())
    }

    pub fn expect(&mut self, words: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.starts_with(words).then(|| {
            self.at += words.len();
        })
    }

    /// What stands up to the next quote, which is passed; nothing in it is written by an escape.
    pub fn until_quote(&mut self) -> Option<&'a [u8]> {
        let text = self.text;
        let rest = text.get(self.at..)?;
        let length = rest.iter().position(|&byte| byte == b'"')?;
        self.at += length + 1;
        let said = &rest[..length];
        let plain = |byte: &u8| *byte >= b' ' && *byte != b'\\' && *byte != 0x7f;
        said.iter().all(plain).then_some(said)
    }

    /// What stands up to the next such byte, which is passed; any bytes.
    pub fn until(&mut self, end: u8) -> Option<&'a [u8]> {
        let text = self.text;
        let rest = text.get(self.at..)?;
        let length = rest.iter().position(|&byte| byte == end)?;
        self.at += length + 1;
        Some(&rest[..length])
    }

    /// All that was passed so far.
    pub fn passed(&self) -> &'a [u8] {
        &self.text[..self.at]
    }

    pub fn truth(&mut self) -> Option<bool> {
        if self.expect(b"true").is_some() {
            return Some(true);
        }
        self.expect(b"false").map(|()| false)
    }

    /// A whole number of at most [`MOST_DIGITS`], as JSON spells it, not negative.
    pub fn whole(&mut self) -> Option<u64> {
        let rest = self.text.get(self.at..)?;
        let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 || length > MOST_DIGITS || (length > 1 && rest[0] == b'0') {
            return None;
        }
        if matches!(rest.get(length), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.at += length;
        Some(
            rest[..length]
                .iter()
                .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
        )
    }

    pub fn millis_or_null(&mut self) -> Option<()> {
        if self.expect(b"null").is_some() {
            return Some(());
        }
        self.whole().map(|_| ())
    }

    /// The party of an address.
    pub fn address(&mut self) -> Option<&'a [u8]> {
        self.expect(b"{\"desk\":\"")?;
        is_name(self.until_quote()?).then_some(())?;
        self.expect(b",\"party\":\"")?;
        let party = self.until_quote()?;
        is_name(party).then_some(())?;
        self.expect(b"}")?;
        Some(party)
    }

    /// An entry of a chain: epoch, hash and number, as the members of an object stand in order.
    pub fn point(&mut self) -> Option<Point> {
        self.expect(b"{\"epoch\":\"")?;
        let epoch = epoch_from(self.until_quote()?)?;
        self.expect(b",\"hash\":\"")?;
        let hash = hash_from(self.until_quote()?)?;
        self.expect(b",\"seq\":")?;
        let seq = self.number()?;
        self.expect(b"}")?;
        Some(Point { epoch, seq, hash })
    }

    /// The number of an entry: they count from 1.
    pub fn number(&mut self) -> Option<u64> {
        self.whole().filter(|&seq| seq >= 1)
    }

    /// Pass one value that stands so many brackets deep.
    pub fn value(&mut self, depth: usize) -> Option<()> {
        self.at = value_end(self.text, self.at, MOST_DEPTH - depth)?;
        Some(())
    }
}
