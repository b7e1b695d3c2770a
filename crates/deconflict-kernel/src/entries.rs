//! Entries of an exported record: the ordinary ones proven in one go, every other left.
//!
//! `deconflict.node.bundle_proof` says what a line of a bundle is, and why another is refused. Here
//! is a quick reader for the one kind of line of which there are a million. It takes a line exactly
//! when the other would, or leaves it: what is out of the common in any way, and all that is
//! wrong, is for the other to judge and to name.
//!
//! Taken are: its one byte form, strict base64, a canonical envelope with every field of its form,
//! the line, author and addressee of this record, and the author's signature.

use crate::digests::digests;
use crate::entry_fields::{
    bytes_of, epoch_from, hash_from, is_code, is_instant, is_language, is_utc_text, Hash, Point,
};
use crate::frame::{Frame, Key};
use crate::steps::Steps;
use std::sync::Arc;

const CONTEXT: &[u8] = b"deconflict/1 envelope\n";
const MOST_ENVELOPE_BYTES: usize = 65_536 + 4_096;
const SIGNATURE_BYTES: usize = 64;

/// An entry whose signature holds. Its place in the chain is not looked at yet.
pub struct Entry {
    /// Index of its author in the frame.
    pub author: usize,
    pub key: Arc<Key>,
    pub point: Point,
    pub prev: Hash,
    pub heard: Option<Point>,
    pub kind: Vec<u8>,
    pub drill: bool,
    pub delayed: bool,
    /// Of the author's tree: SHA-256 over 0, signature and hash.
    pub leaf: Hash,
}

/// An entry that has no name yet: many are named at once.
pub(crate) struct Signed {
    entry: Entry,
    data: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
}

/// True exactly when the one entry stands behind the other in a chain, signed by the same key.
pub(crate) fn follows(before: &Entry, entry: &Entry) -> bool {
    entry.author == before.author
        && entry.key.key_id == before.key.key_id
        && entry.point.epoch == before.point.epoch
        && before.point.seq.checked_add(1) == Some(entry.point.seq)
        && entry.prev == before.point.hash
}

/// The entry of a line with its newline; `None` where it is to be read by somebody else.
pub(crate) fn signed_of(line: &[u8], frame: &Frame) -> Option<Signed> {
    let mut item = Steps::over(line);
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
    let signature: [u8; SIGNATURE_BYTES] = bytes_of(item.until_quote()?)?.try_into().ok()?;
    item.expect(b",\"type\":\"entry\"}\n")?;
    item.end()?;
    if data.len() > MOST_ENVELOPE_BYTES {
        return None;
    }
    let author = frame.author(party)?;
    let key = frame.authors[author].key(key_id)?;
    // Bytes are verified before they are read.
    let pair = [(&data[..], &signature[..])];
    if key.prover.first_bad(CONTEXT, pair).is_some() {
        return None;
    }
    let said = envelope_of(&data)?;
    if said.line != frame.line || said.from != party || said.to != frame.authors[1 - author].party {
        return None;
    }
    let entry = Entry {
        author,
        key: Arc::clone(key),
        point: Point {
            epoch: said.epoch,
            seq: said.seq,
            hash: Hash::default(),
        },
        prev: said.prev,
        heard: said.heard,
        kind: said.kind.to_vec(),
        drill: said.drill,
        delayed,
        leaf: Hash::default(),
    };
    Some(Signed {
        entry,
        data,
        signature,
    })
}

/// The same entries with their names and leaves.
pub(crate) fn named(signed: Vec<Signed>) -> Vec<Entry> {
    let names = digests(&signed.iter().map(|one| &one.data[..]).collect::<Vec<_>>());
    let contents: Vec<_> = signed
        .iter()
        .zip(&names)
        .map(|(one, name)| leaf_of(&one.signature, name))
        .collect();
    let leaves = digests(&contents);
    let found = signed.into_iter().zip(names.into_iter().zip(leaves));
    found
        .map(|(one, (name, leaf))| {
            let mut entry = one.entry;
            entry.point.hash = name;
            entry.leaf = leaf;
            entry
        })
        .collect()
}

/// What the leaf of an entry is the hash of: 0, as RFC 9162 has it, signature and hash.
fn leaf_of(signature: &[u8; SIGNATURE_BYTES], name: &Hash) -> [u8; 1 + SIGNATURE_BYTES + 32] {
    let mut content = [0; 1 + SIGNATURE_BYTES + 32];
    content[1..=SIGNATURE_BYTES].copy_from_slice(signature);
    content[1 + SIGNATURE_BYTES..].copy_from_slice(name);
    content
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
    let mut reader = Steps::over(data);
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
        Some(reader.point()?)
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
    let seq = reader.number()?;
    reader.expect(b",\"to\":")?;
    let to = reader.address()?;
    reader.expect(b",\"v\":1}")?;
    reader.end()?;
    Some(Envelope {
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::frame::Author;
    use crate::signatures::Prover;
    use ed25519_dalek::{Signer, SigningKey};
    use sha2::{Digest, Sha256};

    pub(crate) const LINE: &str = "0123456789abcdef0123456789abcdef";
    pub(crate) const EPOCH: &str = "00112233445566778899aabbccddeeff";
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    pub(crate) fn base64(data: &[u8]) -> String {
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

    pub(crate) fn keys() -> [SigningKey; 2] {
        [[1; 32], [2; 32]].map(|seed| SigningKey::from_bytes(&seed))
    }

    pub(crate) fn frame() -> Frame {
        let mut parties = [&b"blue"[..], b"red"].into_iter().zip(keys());
        let mut author = || {
            let (party, key) = parties.next().unwrap();
            let key = Key {
                key_id: party.repeat(64)[..64].to_vec(),
                prover: Prover::new(&key.verifying_key().to_bytes()).unwrap(),
            };
            Author {
                party: party.to_vec(),
                keys: vec![Arc::new(key)],
            }
        };
        Frame {
            line: LINE.as_bytes().to_vec(),
            authors: [author(), author()],
        }
    }

    pub(crate) fn envelope(body: &str, seq: u64, prev: &str) -> String {
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

    pub(crate) fn item(data: &str) -> String {
        let signature = keys()[0]
            .sign(&[CONTEXT, data.as_bytes()].concat())
            .to_bytes();
        format!(
            "{{\"algorithm\":\"Ed25519\",\"data\":\"{}\",\"delayed\":false,\"key_id\":\"{}\",\
             \"logged_utc\":\"2024-02-29T00:00:01.000Z\",\"party\":\"blue\",\"signature\":\"{}\",\
             \"type\":\"entry\"}}\n",
            base64(data.as_bytes()),
            "blue".repeat(16),
            base64(&signature)
        )
    }

    fn entry_of(line: &[u8], frame: &Frame) -> Option<Entry> {
        named(vec![signed_of(line, frame)?]).pop()
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
        let signature = keys()[0].sign(&[CONTEXT, data.as_bytes()].concat());
        let leaf = [&[0][..], &signature.to_bytes(), &entry.point.hash].concat();
        assert_eq!(entry.leaf[..], Sha256::digest(leaf)[..]);
        assert_eq!(entry.prev, [0x0f; 32]);
        assert_eq!(entry.heard.map(|heard| heard.seq), Some(7));
        assert_eq!(entry.kind, b"NOTIFY");
    }

    #[test]
    fn every_changed_byte_is_left() {
        let line = item(&envelope("{\"a\":1}", 3, &"0f".repeat(32))).into_bytes();
        let frame = frame();
        for place in 0..line.len() {
            for change in [1, 0x20, 0x80] {
                let mut changed = line.clone();
                changed[place] ^= change;
                if entry_of(&changed, &frame).is_some() {
                    // Two things no signature covers: when it was logged, and nothing else of form.
                    let logged = line.windows(10).position(|w| w == b"logged_utc").unwrap();
                    assert!((logged..logged + 40).contains(&place), "{place}");
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
