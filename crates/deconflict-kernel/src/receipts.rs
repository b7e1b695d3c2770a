//! Receipts of an exported record: the ordinary ones proven, every other left. specs/receipt.md.

use crate::entry_fields::{bytes_of, epoch_from, hash_from, is_instant, is_utc_text, Point};
use crate::frame::Frame;
use crate::steps::Steps;

const CONTEXT: &[u8] = b"deconflict/1 receipt\n";

/// A receipt that the other party signed.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Index in the frame of the party whose entry it is for.
    pub author: usize,
    pub point: Point,
}

/// The receipt of a line with its newline; `None` where it is to be read by somebody else.
pub(crate) fn receipt_of(line: &[u8], frame: &Frame) -> Option<Receipt> {
    let mut item = Steps::over(line);
    item.expect(b"{\"algorithm\":\"Ed25519\",\"data\":\"")?;
    let data = bytes_of(item.until_quote()?)?;
    item.expect(b",\"key_id\":\"")?;
    let key_id = item.until_quote()?;
    item.expect(b",\"signature\":\"")?;
    let signature = bytes_of(item.until_quote()?)?;
    item.expect(b",\"stored_utc\":\"")?;
    is_utc_text(item.until_quote()?).then_some(())?;
    item.expect(b",\"type\":\"receipt\"}\n")?;
    item.end()?;
    let signer = (0..2).find(|&one| frame.authors[one].key(key_id).is_some())?;
    let key = frame.authors[signer].key(key_id)?;
    // Bytes are verified before they are read.
    let pair = [(&data[..], &signature[..])];
    if key.prover.first_bad(CONTEXT, pair).is_some() {
        return None;
    }
    let author = 1 - signer;
    let mut said = Steps::over(&data);
    said.expect(b"{\"epoch\":\"")?;
    let epoch = epoch_from(said.until_quote()?)?;
    said.expect(b",\"from\":\"")?;
    (said.until_quote()? == frame.authors[signer].party).then_some(())?;
    said.expect(b",\"hash\":\"")?;
    let hash = hash_from(said.until_quote()?)?;
    said.expect(b",\"line\":\"")?;
    (said.until_quote()? == frame.line).then_some(())?;
    said.expect(b",\"received_utc\":\"")?;
    is_instant(said.until_quote()?).then_some(())?;
    said.expect(b",\"seq\":")?;
    let seq = said.number()?;
    said.expect(b",\"to\":\"")?;
    (said.until_quote()? == frame.authors[author].party).then_some(())?;
    said.expect(b",\"v\":1}")?;
    said.end()?;
    Some(Receipt {
        author,
        point: Point { epoch, seq, hash },
    })
}
