//! The check over a row of the record: it changes when a column, its type or their order changes.
//!
//! Written and read by `deconflict.store.sqlite_rows`; a start reads every row there is.

use sha2::{Digest, Sha256};

/// One column as it lies in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    Whole(i64),
    Nothing,
}

/// The first 16 bytes of SHA-256 over the columns, each with its type and length before it.
pub fn check<'a>(columns: impl IntoIterator<Item = Column<'a>>) -> [u8; 16] {
    let mut written = Vec::with_capacity(512);
    for column in columns {
        match column {
            Column::Text(text) => {
                written.extend_from_slice(format!("s{}:", text.len()).as_bytes());
                written.extend_from_slice(text.as_bytes());
            }
            Column::Bytes(bytes) => {
                written.extend_from_slice(format!("b{}:", bytes.len()).as_bytes());
                written.extend_from_slice(bytes);
            }
            Column::Whole(whole) => written.extend_from_slice(format!("i{whole}:").as_bytes()),
            Column::Nothing => written.push(b'n'),
        }
    }
    let mut check = [0; 16];
    check.copy_from_slice(&Sha256::digest(&written)[..16]);
    check
}

/// The name of signed bytes: their SHA-256 in 64 hex digits.
pub fn name_of(data: &[u8]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut name = [0; 64];
    for (two, byte) in name.chunks_exact_mut(2).zip(Sha256::digest(data)) {
        two[0] = DIGITS[usize::from(byte >> 4)];
        two[1] = DIGITS[usize::from(byte & 15)];
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_rows_are_written_alike() {
        use Column::{Bytes, Nothing, Text, Whole};
        let rows: [&[Column]; 7] = [
            &[Text("a"), Whole(1)],
            &[Whole(1), Text("a")],
            &[Bytes(b"a"), Whole(1)],
            &[Text("a"), Text("1")],
            &[Text("a"), Whole(-1)],
            &[Text("a"), Nothing],
            &[Text("ai1:")],
        ];
        let mut checks: Vec<_> = rows.iter().map(|row| check(row.iter().copied())).collect();
        checks.sort_unstable();
        checks.dedup();
        assert_eq!(checks.len(), rows.len());
    }

    #[test]
    fn a_name_is_sha_256_in_hex() {
        // FIPS 180-2 appendix B.1
        assert_eq!(
            &name_of(b"abc"),
            b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
