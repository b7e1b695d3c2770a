//! Entries of an exported record: the ordinary ones proven in one go, every other left.
//!
//! `deconflict.node.bundle_proof` says what a line of a bundle is, and why another is refused. Here
//! is a quick reader for the one kind of line of which there are a million. It takes a line exactly
//! when the other would, or leaves it: what is out of the common in any way, and all that is
//! wrong, is for the other to judge and to name.
//!
//! Taken are: its one byte form, strict base64, a canonical envelope with every field of its form,
//! the line, author and addressee of this record, and the author's signature.

use crate::canonical::value_end;
use crate::entry_fields::{
    bytes_of, epoch_from, hash_from, is_code, is_instant, is_language, is_name, is_utc_text, Hash,
};
use crate::rows::name_of;
use crate::signatures::Prover;
use sha2::{Digest, Sha256};

const CONTEXT: &[u8] = b"deconflict/1 envelope\n";
const MOST_ENVELOPE_BYTES: usize = 65_536 + 4_096;
const MOST_DEPTH: usize = 16;
const MOST_DIGITS: usize = 15; // a double holds every whole number of so many
const SIGNATURE_BYTES: usize = 64;

/// One party of the line.
pub struct Author {
    pub party: Vec<u8>,
    /// 64 hex digits.
    pub key_id: Vec<u8>,
    pub prover: Prover,
}

/// What every entry of the record has in common.
pub struct Frame {
    /// 32 hex digits.
    pub line: Vec<u8>,
    pub authors: [Author; 2],
}

/// An entry that this node's peer, or it, said to hold: 32 hex digits, number, hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub epoch: [u8; 32],
    pub seq: u64,
    pub hash: Hash,
}

/// An entry whose signature holds. Its place in the chain is not looked at yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Index of its author in the frame.
    pub author: usize,
    pub point: Point,
    pub prev: Hash,
    pub heard: Option<Point>,
    pub kind: Vec<u8>,
    pub drill: bool,
    pub delayed: bool,
    /// Of the author's tree: SHA-256 over 0, signature and hash.
    pub leaf: Hash,
}

/// Entries of one chain one behind the other, or lines that somebody else has to read.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where its lines begin and end in the text.
    pub start: usize,
    pub end: usize,
    /// Empty where the lines are left; else each with where its line begins.
    pub entries: Vec<(usize, Entry)>,
}

/// Read whole lines.
pub fn read(text: &[u8], frame: &Frame) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.len();
        let entry = entry_of(line, frame);
        let continues =
            found
                .last()
                .is_some_and(|stretch| match (stretch.entries.last(), &entry) {
                    (None, None) => true,
                    (Some((_, before)), Some(entry)) => follows(before, entry),
                    _ => false,
                });
        if !continues {
            found.push(Stretch {
                start,
                end,
                entries: Vec::new(),
            });
        }
        if let Some(stretch) = found.last_mut() {
            stretch.end = end;
            stretch.entries.extend(entry.map(|entry| (start, entry)));
        }
        start = end;
    }
    found
}

fn follows(before: &Entry, entry: &Entry) -> bool {
    entry.author == before.author
        && entry.point.epoch == before.point.epoch
        && before.point.seq.checked_add(1) == Some(entry.point.seq)
        && entry.prev == before.point.hash
}

/// The entry of a line with its newline; `None` where it is to be read by somebody else.
pub fn entry_of(line: &[u8], frame: &Frame) -> Option<Entry> {
    let mut item = Reader { text: line, at: 0 };
    item.expect(b"{\"algorithm\":\"Ed25519\",\"data\":\"")?;
    let data = bytes_of(item.until_quote()?)?;
    item.expect(b",\"delayed\":")?;
    let delayed = item.truth()?;
    item.expect(b",\"key_id\":\"")?;
    let key_id = item.until_quote()?;
    item.expect(b",\"logged_utc\":\"")?;
    is_utc_text(item.until_quote()?).then_some(())?;
    item.expect(b",\"party\":\"")?;
    let party = item.until_quote()?;
    item.expect(b",\"signature\":\"")?;
    let signature = bytes_of(item.until_quote()?)?;
    item.expect(b",\"type\":\"entry\"}\n")?;
    if item.at != line.len()
        || data.len() > MOST_ENVELOPE_BYTES
        || signature.len() != SIGNATURE_BYTES
    {
        return None;
    }
    let author = frame.authors.iter().position(|one| one.party == party)?;
    let by = &frame.authors[author];
    if by.key_id != key_id {
        return None;
    }
    // Bytes are verified before they are read.
    let pair = [(&data[..], &signature[..])];
    if by.prover.first_bad(CONTEXT, pair).is_some() {
        return None;
    }
    let said = envelope_of(&data)?;
    if said.line != frame.line || said.from != party || said.to != frame.authors[1 - author].party {
        return None;
    }
    let hash = hash_from(&name_of(&data))?;
    let leaf = Sha256::new()
        .chain_update([0])
        .chain_update(&signature)
        .chain_update(hash)
        .finalize();
    Some(Entry {
        author,
        point: Point {
            epoch: said.epoch,
            seq: said.seq,
            hash,
        },
        prev: said.prev,
        heard: said.heard,
        kind: said.kind.to_vec(),
        drill: said.drill,
        delayed,
        leaf: leaf.into(),
    })
}

struct Envelope<'a> {
    line: &'a [u8],
    from: &'a [u8],
    to: &'a [u8],
    epoch: [u8; 32],
    seq: u64,
    prev: Hash,
    heard: Option<Point>,
    kind: &'a [u8],
    drill: bool,
}

/// Read a canonical envelope, its keys in their order. specs/envelope.md has the fields.
fn envelope_of(data: &[u8]) -> Option<Envelope<'_>> {
    std::str::from_utf8(data).ok()?;
    if data.contains(&0x7f) {
        return None;
    }
    let mut reader = Reader { text: data, at: 0 };
    reader.expect(b"{\"answer_within_ms\":")?;
    reader.millis_or_null()?;
    reader.expect(b",\"body\":")?;
    reader.value(1)?;
    reader.expect(b",\"clock_err_ms\":")?;
    reader.whole()?;
    reader.expect(b",\"created_utc\":\"")?;
    is_instant(reader.until_quote()?).then_some(())?;
    reader.expect(b",\"drill\":")?;
    let drill = reader.truth()?;
    reader.expect(b",\"epoch\":\"")?;
    let epoch = epoch_from(reader.until_quote()?)?;
    reader.expect(b",\"expires_after_ms\":")?;
    reader.millis_or_null()?;
    reader.expect(b",\"from\":")?;
    let from = reader.address()?;
    reader.expect(b",\"heard\":")?;
    let heard = if reader.expect(b"null").is_some() {
        None
    } else {
        reader.expect(b"{\"epoch\":\"")?;
        let epoch = epoch_from(reader.until_quote()?)?;
        reader.expect(b",\"hash\":\"")?;
        let hash = hash_from(reader.until_quote()?)?;
        reader.expect(b",\"seq\":")?;
        let seq = reader.whole().filter(|&seq| seq >= 1)?;
        reader.expect(b"}")?;
        Some(Point { epoch, seq, hash })
    };
    reader.expect(b",\"kind\":\"")?;
    let kind = reader.until_quote()?;
    is_code(kind).then_some(())?;
    reader.expect(b",\"lang\":\"")?;
    is_language(reader.until_quote()?).then_some(())?;
    reader.expect(b",\"line\":\"")?;
    let line = reader.until_quote()?;
    reader.expect(b",\"prec\":\"")?;
    let precedence = reader.until_quote()?;
    [&b"FLASH"[..], b"IMMEDIATE", b"PRIORITY", b"ROUTINE"]
        .contains(&precedence)
        .then_some(())?;
    reader.expect(b",\"prev\":\"")?;
    let prev = hash_from(reader.until_quote()?)?;
    reader.expect(b",\"ref\":")?;
    if reader.expect(b"null").is_none() {
        reader.expect(b"\"")?;
        hash_from(reader.until_quote()?)?;
    }
    reader.expect(b",\"release\":\"")?;
    is_code(reader.until_quote()?).then_some(())?;
    reader.expect(b",\"seq\":")?;
    let seq = reader.whole().filter(|&seq| seq >= 1)?;
    reader.expect(b",\"to\":")?;
    let to = reader.address()?;
    reader.expect(b",\"v\":1}")?;
    (reader.at == data.len()).then_some(Envelope {
        line,
        from,
        to,
        epoch,
        seq,
        prev,
        heard,
        kind,
        drill,
    })
}

/// Steps through a text. Every step answers `None` at the first thing out of the common.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn expect(&mut self, words: &[u8]) -> Option<()> {
        self.text.get(self.at..)?.starts_with(words).then(|| {
            self.at += words.len();
        })
    }

    /// What stands up to the next quote, which is passed; nothing in it is written by an escape.
    fn until_quote(&mut self) -> Option<&'a [u8]> {
        let text = self.text;
        let rest = text.get(self.at..)?;
        let length = rest.iter().position(|&byte| byte == b'"')?;
        self.at += length + 1;
        let said = &rest[..length];
        let plain = |byte: &u8| *byte >= b' ' && *byte != b'\\' && *byte != 0x7f;
        said.iter().all(plain).then_some(said)
    }

    fn truth(&mut self) -> Option<bool> {
        if self.expect(b"true").is_some() {
            return Some(true);
        }
        self.expect(b"false").map(|()| false)
    }

    /// A whole number of at most [`MOST_DIGITS`], as JSON spells it, not negative.
    fn whole(&mut self) -> Option<u64> {
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

    fn millis_or_null(&mut self) -> Option<()> {
        if self.expect(b"null").is_some() {
            return Some(());
        }
        self.whole().map(|_| ())
    }

    /// The party of an address.
    fn address(&mut self) -> Option<&'a [u8]> {
        self.expect(b"{\"desk\":\"")?;
        is_name(self.until_quote()?).then_some(())?;
        self.expect(b",\"party\":\"")?;
        let party = self.until_quote()?;
        is_name(party).then_some(())?;
        self.expect(b"}")?;
        Some(party)
    }

    /// Pass one value that stands so many brackets deep.
    fn value(&mut self, depth: usize) -> Option<()> {
        self.at = value_end(self.text, self.at, MOST_DEPTH - depth)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    const LINE: &str = "0123456789abcdef0123456789abcdef";
    const EPOCH: &str = "00112233445566778899aabbccddeeff";
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fn base64(data: &[u8]) -> String {
        let mut text = String::new();
        for three in data.chunks(3) {
            let mut bits = [0; 4];
            bits[1..=three.len()].copy_from_slice(three);
            let bits = u32::from_be_bytes(bits);
            for place in 0..4 {
                let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
                let padding = place > three.len();
                text.push(if padding { '=' } else { letter as char });
            }
        }
        text
    }

    fn keys() -> [SigningKey; 2] {
        [[1; 32], [2; 32]].map(|seed| SigningKey::from_bytes(&seed))
    }

    fn frame() -> Frame {
        let mut parties = [&b"blue"[..], b"red"].into_iter().zip(keys());
        let mut author = || {
            let (party, key) = parties.next().unwrap();
            Author {
                party: party.to_vec(),
                key_id: [b'a'; 64].to_vec(),
                prover: Prover::new(&key.verifying_key().to_bytes()).unwrap(),
            }
        };
        Frame {
            line: LINE.as_bytes().to_vec(),
            authors: [author(), author()],
        }
    }

    fn envelope(body: &str, seq: u64, prev: &str) -> String {
        format!(
            "{{\"answer_within_ms\":null,\"body\":{body},\"clock_err_ms\":1000,\
             \"created_utc\":\"2024-02-29T00:00:00.000Z\",\"drill\":false,\"epoch\":\"{EPOCH}\",\
             \"expires_after_ms\":86400000,\"from\":{{\"desk\":\"watch\",\"party\":\"blue\"}},\
             \"heard\":{{\"epoch\":\"{EPOCH}\",\"hash\":\"{prev}\",\"seq\":7}},\"kind\":\"NOTIFY\",\
             \"lang\":\"en\",\"line\":\"{LINE}\",\"prec\":\"PRIORITY\",\"prev\":\"{prev}\",\
             \"ref\":null,\"release\":\"NONE\",\"seq\":{seq},\
             \"to\":{{\"desk\":\"watch\",\"party\":\"red\"}},\"v\":1}}"
        )
    }

    fn item(data: &str) -> String {
        let signature = keys()[0]
            .sign(&[CONTEXT, data.as_bytes()].concat())
            .to_bytes();
        format!(
            "{{\"algorithm\":\"Ed25519\",\"data\":\"{}\",\"delayed\":false,\"key_id\":\"{}\",\
             \"logged_utc\":\"2024-02-29T00:00:01.000Z\",\"party\":\"blue\",\"signature\":\"{}\",\
             \"type\":\"entry\"}}\n",
            base64(data.as_bytes()),
            "a".repeat(64),
            base64(&signature)
        )
    }

    fn taken(data: &str) -> bool {
        entry_of(item(data).as_bytes(), &frame()).is_some()
    }

    #[test]
    fn an_ordinary_entry_is_taken_as_it_says() {
        let prev = "0f".repeat(32);
        let data = envelope("{\"a\":[1,-2,{}],\"ж\":\"слово\"}", 3, &prev);
        let entry = entry_of(item(&data).as_bytes(), &frame()).unwrap();
        assert_eq!(entry.author, 0);
        assert_eq!(entry.point.epoch, EPOCH.as_bytes());
        assert_eq!(entry.point.seq, 3);
        assert_eq!(entry.point.hash[..], Sha256::digest(data.as_bytes())[..]);
        assert_eq!(entry.prev, [0x0f; 32]);
        assert_eq!(entry.heard.map(|heard| heard.seq), Some(7));
        assert_eq!(entry.kind, b"NOTIFY");
    }

    #[test]
    fn entries_that_follow_are_one_stretch_and_others_are_not() {
        let first = envelope("null", 1, &"0".repeat(64));
        let name = String::from_utf8(name_of(first.as_bytes()).to_vec()).unwrap();
        let second = envelope("null", 2, &name);
        let stray = envelope("null", 3, &"0".repeat(64));
        let text = [item(&first), item(&second), item(&stray), "{}\n".into()].concat();
        let found = read(text.as_bytes(), &frame());
        let counts: Vec<_> = found.iter().map(|stretch| stretch.entries.len()).collect();
        assert_eq!(counts, [2, 1, 0]);
        assert_eq!(found[0].start, 0);
        assert_eq!(found[2].end, text.len());
    }

    #[test]
    fn every_changed_byte_is_left() {
        let line = item(&envelope("{\"a\":1}", 3, &"0f".repeat(32))).into_bytes();
        let frame = frame();
        for place in 0..line.len() {
            for change in [1, 0x20, 0x80] {
                let mut changed = line.clone();
                changed[place] ^= change;
                if let Some(entry) = entry_of(&changed, &frame) {
                    // Two things no signature covers: when it was logged, and nothing else of form.
                    let logged = line.windows(10).position(|w| w == b"logged_utc").unwrap();
                    assert!((logged..logged + 40).contains(&place), "{place} {entry:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_canonical_is_left() {
        let prev = "0f".repeat(32);
        for body in [
            "{\"b\":1,\"a\":2}",
            "{\"a\":1,\"a\":2}",
            "{ \"a\":1}",
            "01",
            "-0",
            "1.0",
            "1e3",
            "1000000000000000",
            "\"\\u0061\"",
            "\"\u{7f}\"",
            "\"\u{1f600}\"",
            "nul",
            "[1,]",
            "",
        ] {
            assert!(!taken(&envelope(body, 3, &prev)), "{body}");
        }
        assert!(taken(
            &envelope(&"[".repeat(15).to_string(), 3, &prev).replace(
                &"[".repeat(15),
                &format!("{}{}", "[".repeat(15), "]".repeat(15))
            )
        ));
        assert!(!taken(
            &envelope("X", 3, &prev).replace('X', &format!("{}{}", "[".repeat(16), "]".repeat(16)))
        ));
    }

    #[test]
    fn what_breaks_a_field_is_left() {
        let good = envelope("null", 3, &"0f".repeat(32));
        assert!(taken(&good));
        for (field, broken) in [
            ("2024-02-29", "2023-02-29"),
            ("T00:00:00.000Z", "T24:00:00.000Z"),
            ("T00:00:00.000Z", "T00:00:60.000Z"),
            ("2024-02-29", "2200-02-28"),
            ("\"PRIORITY\"", "\"URGENT\""),
            ("\"en\"", "\"EN\""),
            ("\"NONE\"", "\"none\""),
            ("\"seq\":3", "\"seq\":0"),
            ("\"v\":1", "\"v\":2"),
            ("\"party\":\"red\"", "\"party\":\"green\""),
            ("\"party\":\"blue\"", "\"party\":\"red\""),
            (LINE, EPOCH),
            ("\"desk\":\"watch\"", "\"desk\":\"-watch\""),
        ] {
            assert!(!taken(&good.replace(field, broken)), "{broken}");
        }
    }
}
