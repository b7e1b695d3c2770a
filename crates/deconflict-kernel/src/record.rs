//! Lines of an exported record, many in one go: what is ordinary proven, every other line left.
//!
//! `deconflict.node.bundle_proof` says what a line of a bundle is, and why another is refused. Here
//! is a quick reader for the lines of which there are a million, or thousands. It takes a line only
//! when the other would, or leaves it: what is out of the common in any way, and all that is wrong,
//! is for the other to judge and to name.

use crate::checkpoints::{checkpoint_of, Checkpoint};
use crate::entries::{follows, named, signed_of, Entry, Signed};
use crate::frame::Frame;
use crate::receipts::{receipt_of, Receipt};

/// Lines that belong together.
pub struct Stretch {
    /// Where they begin and end in the text.
    pub start: usize,
    pub end: usize,
    pub found: Found,
}

/// What they say.
pub enum Found {
    /// Nobody knows: they are to be read by somebody else.
    Left,
    /// Entries of one chain one behind the other, by one key, each with where its line begins.
    Entries(Vec<(usize, Entry)>),
    Receipts(Vec<Receipt>),
    Checkpoints(Vec<Checkpoint>),
}

enum Line {
    Left,
    Entry,
    Receipt(Receipt),
    Checkpoint(Checkpoint),
}

/// Read whole lines.
pub fn read(text: &[u8], frame: &Frame) -> Vec<Stretch> {
    let mut signed: Vec<Signed> = Vec::new();
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.len();
        lines.push((start, end, line_of(line, frame, &mut signed)));
        start = end;
    }
    let mut entries = named(signed).into_iter();
    let mut found: Vec<Stretch> = Vec::new();
    for (start, end, line) in lines {
        let said = match line {
            Line::Left => Found::Left,
            Line::Entry => entries
                .next()
                .map_or(Found::Left, |entry| Found::Entries(vec![(start, entry)])),
            Line::Receipt(receipt) => Found::Receipts(vec![receipt]),
            Line::Checkpoint(checkpoint) => Found::Checkpoints(vec![checkpoint]),
        };
        let apart = match found.last_mut() {
            Some(before) => before.joined(end, said),
            None => Some(said),
        };
        found.extend(apart.map(|found| Stretch { start, end, found }));
    }
    found
}

fn line_of(line: &[u8], frame: &Frame, signed: &mut Vec<Signed>) -> Line {
    if let Some(entry) = signed_of(line, frame) {
        signed.push(entry);
        return Line::Entry;
    }
    if let Some(receipt) = receipt_of(line, frame) {
        return Line::Receipt(receipt);
    }
    checkpoint_of(line, frame).map_or(Line::Left, Line::Checkpoint)
}

impl Stretch {
    /// Take a line more, or give back what it says where it does not belong here.
    fn joined(&mut self, end: usize, said: Found) -> Option<Found> {
        match (&mut self.found, said) {
            (Found::Left, Found::Left) => {}
            (Found::Entries(these), Found::Entries(more)) => {
                let continues = match (these.last(), more.first()) {
                    (Some((_, before)), Some((_, entry))) => follows(before, entry),
                    _ => false,
                };
                if !continues {
                    return Some(Found::Entries(more));
                }
                these.extend(more);
            }
            (Found::Receipts(these), Found::Receipts(more)) => these.extend(more),
            (Found::Checkpoints(these), Found::Checkpoints(more)) => these.extend(more),
            (_, said) => return Some(said),
        }
        self.end = end;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entries::tests::{base64, envelope, frame, item, keys, EPOCH, LINE};
    use crate::entry_fields::{hash_from, Hash};
    use crate::rows::name_of;
    use ed25519_dalek::Signer;
    use sha2::{Digest, Sha256};

    const ROOT: Hash = [7; 32];
    const TIME_S: u64 = 1_709_164_800;

    fn receipt(signer: &str, said: &str) -> String {
        let number = usize::from(signer == "red");
        let signature = keys()[number].sign(&[b"deconflict/1 receipt\n", said.as_bytes()].concat());
        format!(
            "{{\"algorithm\":\"Ed25519\",\"data\":\"{}\",\"key_id\":\"{}\",\"signature\":\"{}\",\
             \"stored_utc\":\"2024-02-29T00:00:01.000Z\",\"type\":\"receipt\"}}\n",
            base64(said.as_bytes()),
            &signer.repeat(64)[..64],
            base64(&signature.to_bytes())
        )
    }

    fn holding(signer: &str, author: &str) -> String {
        format!(
            "{{\"epoch\":\"{EPOCH}\",\"from\":\"{signer}\",\"hash\":\"{}\",\"line\":\"{LINE}\",\
             \"received_utc\":\"2024-02-29T00:00:00.000Z\",\"seq\":3,\"to\":\"{author}\",\"v\":1}}",
            "0f".repeat(32)
        )
    }

    fn text_of(party: &str, size: &str) -> String {
        let root = base64(&ROOT);
        format!("deconflict/1/{LINE}/{party}/{EPOCH}\n{size}\n{root}\n")
    }

    /// A line of signature by the key with this number.
    fn signed(number: usize, name: &str, kind: u8, stamp: &[u8], message: &[u8]) -> String {
        let key = &keys()[number];
        let public = key.verifying_key().to_bytes();
        let named = [name.as_bytes(), b"\n", &[kind], &public].concat();
        let hint = &Sha256::digest(named)[..4];
        let blob = [hint, stamp, &key.sign(message).to_bytes()].concat();
        format!("\u{2014} {name} {}\n", base64(&blob))
    }

    fn by_author(text: &str) -> String {
        let origin = text.lines().next().unwrap();
        signed(0, origin, 1, &[], text.as_bytes())
    }

    fn by_witness(text: &str, time_s: u64) -> String {
        let message = format!("cosignature/v1\ntime {time_s}\n{text}");
        signed(1, "red", 4, &time_s.to_be_bytes(), message.as_bytes())
    }

    fn checkpoint(note: &str) -> String {
        format!(
            "{{\"note\":\"{}\",\"stored_utc\":\"2024-02-29T00:00:01.000Z\",\
             \"type\":\"checkpoint\"}}\n",
            base64(note.as_bytes())
        )
    }

    fn note(text: &str, time_s: u64) -> String {
        [text, "\n", &by_author(text), &by_witness(text, time_s)].concat()
    }

    fn is_left(line: &str) -> bool {
        let found = read(line.as_bytes(), &frame());
        matches!(
            found[..],
            [Stretch {
                found: Found::Left,
                ..
            }]
        )
    }

    #[test]
    fn entries_that_follow_are_one_stretch_and_others_are_not() {
        let first = envelope("null", 1, &"0".repeat(64));
        let name = String::from_utf8(name_of(first.as_bytes()).to_vec()).unwrap();
        let second = envelope("null", 2, &name);
        let stray = envelope("null", 3, &"0".repeat(64));
        let text = [item(&first), item(&second), item(&stray), "{}\n".into()].concat();
        let found = read(text.as_bytes(), &frame());
        let counts: Vec<_> = found
            .iter()
            .map(|stretch| match &stretch.found {
                Found::Entries(entries) => entries.len(),
                _ => 0,
            })
            .collect();
        assert_eq!(counts, [2, 1, 0]);
        assert_eq!(found[0].start, 0);
        assert_eq!(found[2].end, text.len());
    }

    #[test]
    fn lines_of_one_kind_are_one_stretch() {
        let receipts = [
            receipt("red", &holding("red", "blue")),
            receipt("blue", &holding("blue", "red")),
        ];
        let text = text_of("blue", "100");
        let fixed = checkpoint(&note(&text, TIME_S));
        let whole = [&receipts[..], &[fixed.clone(), fixed, "{}\n".into()]]
            .concat()
            .concat();
        let found = read(whole.as_bytes(), &frame());
        let [first, second, third] = &found[..] else {
            panic!("{} stretches", found.len());
        };
        let Found::Receipts(receipts) = &first.found else {
            panic!("no receipts");
        };
        let named: Vec<_> = receipts
            .iter()
            .map(|one| (one.author, one.point.seq))
            .collect();
        assert_eq!(named, [(0, 3), (1, 3)]);
        assert_eq!(
            Some(receipts[0].point.hash),
            hash_from("0f".repeat(32).as_bytes())
        );
        let Found::Checkpoints(checkpoints) = &second.found else {
            panic!("no checkpoints");
        };
        assert_eq!(checkpoints.len(), 2);
        let one = &checkpoints[0];
        assert_eq!((one.author, &one.epoch[..]), (0, EPOCH.as_bytes()));
        assert_eq!((one.size, one.root, one.time_s), (100, ROOT, TIME_S));
        assert!(matches!(third.found, Found::Left));
        assert_eq!(third.end, whole.len());
    }

    #[test]
    fn a_receipt_that_says_or_is_anything_else_is_left() {
        let said = holding("red", "blue");
        assert!(!is_left(&receipt("red", &said)));
        for (field, broken) in [
            ("\"v\":1", "\"v\":2"),
            ("\"seq\":3", "\"seq\":0"),
            ("\"seq\":3", "\"seq\":03"),
            ("\"from\":\"red\"", "\"from\":\"blue\""),
            ("\"to\":\"blue\"", "\"to\":\"red\""),
            ("\"to\":\"blue\"", "\"to\":\"green\""),
            ("T00:00:00.000Z", "T24:00:00.000Z"),
            (LINE, EPOCH),
            ("0f0f", "0F0f"),
            ("}", ",\"z\":1}"),
            ("}", "} "),
        ] {
            assert!(
                is_left(&receipt("red", &said.replace(field, broken))),
                "{broken}"
            );
        }
        let line = receipt("red", &said);
        for place in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[place] ^= 1;
            let stored = line.find("stored_utc").unwrap();
            let outside = (stored..stored + 40).contains(&place);
            let left = matches!(read(&changed, &frame())[0].found, Found::Left);
            assert!(left || outside, "{place}");
        }
    }

    #[test]
    fn a_checkpoint_that_says_or_is_anything_else_is_left() {
        let text = text_of("blue", "100");
        assert!(!is_left(&checkpoint(&note(&text, TIME_S))));
        let (author, witness) = (by_author(&text), by_witness(&text, TIME_S));
        for note in [
            [&text[..], "\n", &author].concat(),
            [&text[..], "\n", &witness].concat(),
            [&text[..], "\n", &witness, &author].concat(),
            [&text[..], "\n", &author, &author, &witness].concat(),
            [&text[..], "\n", &author, &witness, &witness].concat(),
            [&text[..], "\n\n", &author, &witness].concat(),
            [&text[..], &author, &witness].concat(),
            note(&text_of("red", "100"), TIME_S), // signed by the wrong one of the two
            note(&text_of("green", "100"), TIME_S),
            note(&text_of("blue", "0"), TIME_S),
            note(&text_of("blue", "0100"), TIME_S),
            note(&text_of("blue", "-1"), TIME_S),
            note(&text_of("blue", "100\nmore"), TIME_S),
            note(&text.replace(LINE, EPOCH), TIME_S),
            note(&text, 7_258_118_400),
            note(&text, u64::MAX),
        ] {
            assert!(is_left(&checkpoint(&note)), "{note}");
        }
        let line = checkpoint(&note(&text, TIME_S));
        for place in 0..line.len() {
            let mut changed = line.clone().into_bytes();
            changed[place] ^= 1;
            let stored = line.find("stored_utc").unwrap();
            let outside = (stored..stored + 40).contains(&place);
            let left = matches!(read(&changed, &frame())[0].found, Found::Left);
            assert!(left || outside, "{place}");
        }
    }
}
