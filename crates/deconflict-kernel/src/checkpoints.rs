//! Checkpoints of an exported record: those with two signatures proven, every other left.
//!
//! A signed note of C2SP: three lines of text, an empty one, the author's signature, the witness's.
//! specs/checkpoint.md.

use crate::entry_fields::{bytes_of, epoch_from, is_utc_text, Hash};
use crate::frame::{Frame, Key};
use crate::steps::Steps;
use sha2::{Digest, Sha256};
use std::sync::Arc;

const SIGNATURE_BYTES: usize = 64;
const HINT_BYTES: usize = 4; // of the key, before each signature
const TIME_BYTES: usize = 8; // before a witness's
const COSIGNATURE: &[u8] = b"cosignature/v1\n";
const AUTHOR: u8 = 0x01; // Ed25519 over the text
const WITNESS: u8 = 0x04; // cosignature/v1
const END_OF_2199_S: u64 = 7_258_118_400; // as `deconflict.line.checkpoint` has it

/// What its author signed of a chain, and the other party below it.
pub struct Checkpoint {
    /// Index of the chain's author in the frame.
    pub author: usize,
    pub key: Arc<Key>,
    /// 32 hex digits.
    pub epoch: [u8; 32],
    pub size: u64,
    pub root: Hash,
    /// When the other party signed, seconds since 1970.
    pub time_s: u64,
}

/// The checkpoint of a line with its newline; `None` where it is to be read by somebody else.
pub(crate) fn checkpoint_of(line: &[u8], frame: &Frame) -> Option<Checkpoint> {
    let mut item = Steps::over(line);
    item.expect(b"{\"note\":\"")?;
    let note = bytes_of(item.until_quote()?)?;
    item.expect(b",\"stored_utc\":\"")?;
    is_utc_text(item.until_quote()?).then_some(())?;
    item.expect(b",\"type\":\"checkpoint\"}\n")?;
    item.end()?;

    let mut said = Steps::over(&note);
    said.expect(b"deconflict/1/")?;
    said.expect(&frame.line)?;
    said.expect(b"/")?;
    let author = frame.author(said.until(b'/')?)?;
    let epoch = epoch_from(said.until(b'\n')?)?;
    let origin = said.passed().strip_suffix(b"\n")?;
    let size = said.number()?;
    said.expect(b"\n")?;
    let root = Hash::try_from(bytes_of(said.until(b'\n')?)?).ok()?;
    let text = said.passed();
    said.expect(b"\n")?;
    let by_author = signature_of(&mut said, origin)?;
    let witness = &frame.authors[1 - author];
    let by_witness = signature_of(&mut said, &witness.party)?;
    said.end()?;

    let keys = &frame.authors[author].keys;
    let key = keys
        .iter()
        .find(|key| by_author.starts_with(&hint_of(key, origin, AUTHOR)))?;
    holds(key, b"", text, by_author.get(HINT_BYTES..)?)?;
    let mut keys = witness.keys.iter();
    let found = keys.find(|key| by_witness.starts_with(&hint_of(key, &witness.party, WITNESS)))?;
    let (time, signature) = by_witness
        .get(HINT_BYTES..)?
        .split_first_chunk::<TIME_BYTES>()?;
    let time_s = u64::from_be_bytes(*time);
    (time_s < END_OF_2199_S).then_some(())?;
    let message = [format!("time {time_s}\n").as_bytes(), text].concat();
    holds(found, COSIGNATURE, &message, signature)?;
    Some(Checkpoint {
        author,
        key: Arc::clone(key),
        epoch,
        size,
        root,
        time_s,
    })
}

/// The hint, and what stands behind it, on a signature's line under this name.
fn signature_of(said: &mut Steps<'_>, name: &[u8]) -> Option<Vec<u8>> {
    said.expect("\u{2014} ".as_bytes())?;
    said.expect(name)?;
    said.expect(b" ")?;
    bytes_of(said.until(b'\n')?)
}

fn hint_of(key: &Key, name: &[u8], kind: u8) -> [u8; HINT_BYTES] {
    let digest: Hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(key.prover.public())
        .finalize()
        .into();
    let mut hint = [0; HINT_BYTES];
    hint.copy_from_slice(&digest[..HINT_BYTES]);
    hint
}

fn holds(key: &Key, context: &[u8], text: &[u8], signature: &[u8]) -> Option<()> {
    let sound = signature.len() == SIGNATURE_BYTES
        && key.prover.first_bad(context, [(text, signature)]).is_none();
    sound.then_some(())
}
