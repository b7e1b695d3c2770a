//! What a side holds: cells, slot by slot.

use crate::{Refusal, MOST_IN_A_SLOT, OUTPUT_LENGTH, TAG_LENGTH};

/// Cells of one length, of ascending slots one behind the other.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    slots: &'a [u32],
    sizes: &'a [u32],
    width: usize,
    bytes: &'a [u8],
}

impl<'a> Cells<'a> {
    /// Check that slots, how many cells each has, and the bytes of all cells belong together.
    pub fn new(
        slots: &'a [u32],
        sizes: &'a [u32],
        width: usize,
        bytes: &'a [u8],
    ) -> Result<Self, Refusal> {
        check_slots(slots)?;
        if width == 0 || width > usize::from(u16::MAX) {
            return Err(Refusal::CellLength { given: width });
        }
        check_length("sizes of slots", 4 * sizes.len(), 4 * slots.len())?;
        let cells: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
        // Beyond what memory could hold, no length of bytes is the right one.
        let expected = usize::try_from(cells)
            .ok()
            .and_then(|cells| cells.checked_mul(width))
            .unwrap_or(usize::MAX);
        check_length("cells", bytes.len(), expected)?;
        Ok(Self {
            slots,
            sizes,
            width,
            bytes,
        })
    }

    pub fn slots(&self) -> &'a [u32] {
        self.slots
    }

    /// How many cells each slot has.
    pub fn sizes(&self) -> &'a [u32] {
        self.sizes
    }

    /// Bytes of a cell.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The cells of each slot, one behind the other.
    pub fn by_slot(&self) -> impl Iterator<Item = (u32, &'a [u8])> + '_ {
        let mut rest = self.bytes;
        self.slots
            .iter()
            .zip(self.sizes)
            .map(move |(&slot, &size)| {
                let (own, behind) = rest.split_at(size as usize * self.width);
                rest = behind;
                (slot, own)
            })
    }
}

/// Slots must ascend, so that none is given twice.
pub fn check_slots(slots: &[u32]) -> Result<(), Refusal> {
    match slots.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(Refusal::SlotOrder { slot: pair[1] }),
        None => Ok(()),
    }
}

/// A slot has as many points as its places can be numbered.
pub fn check_per_slot(given: usize) -> Result<(), Refusal> {
    if given == 0 || given > MOST_IN_A_SLOT {
        return Err(Refusal::PointsPerSlot { given });
    }
    Ok(())
}

/// Outputs are told from the length of a tag on; a shorter one would match by chance.
pub fn check_output(length: usize) -> Result<(), Refusal> {
    if (TAG_LENGTH..=OUTPUT_LENGTH).contains(&length) {
        return Ok(());
    }
    Err(Refusal::WrongLength {
        what: "an output",
        bytes: length,
        expected: if length < TAG_LENGTH {
            TAG_LENGTH
        } else {
            OUTPUT_LENGTH
        },
    })
}

/// Own input has as many bytes as are due.
fn check_length(what: &'static str, bytes: usize, expected: usize) -> Result<(), Refusal> {
    if bytes == expected {
        return Ok(());
    }
    Err(Refusal::WrongLength {
        what,
        bytes,
        expected,
    })
}

/// The peer sent as many bytes as are due.
pub fn check_count(what: &'static str, bytes: usize, expected: usize) -> Result<(), Refusal> {
    if bytes == expected {
        return Ok(());
    }
    Err(Refusal::WrongCount {
        what,
        bytes,
        expected,
    })
}
