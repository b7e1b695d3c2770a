//! What any feature says of itself: its names, whose it is, and what it is for.

use crate::json_scan::{Scan, Spot};

const LONGEST_NAME: usize = 256;
const LONGEST_LABEL: usize = 64;

/// In the order of `deconflict.formats.PURPOSES`.
const PURPOSES: [&[u8]; 5] = [
    b"FLIGHT",
    b"ACTIVITY",
    b"HAZARD",
    b"OWN_PRESENCE",
    b"PROTECTED_SITE",
];

/// Where names stand in the text, as [`crate::json_scan`] reads them; empty where none is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct About {
    pub id: Spot,
    pub own_id: Spot,
    pub party: Spot,
    pub label: Spot,
    /// Place in `PURPOSES`.
    pub purpose: u8,
}

/// A property that any feature may have.
#[derive(Clone, Copy)]
pub enum Property {
    Purpose,
    OwnId,
    Party,
    Label,
}

impl About {
    /// Reads the member `id` of a feature.
    pub fn read_id(&mut self, scan: &mut Scan<'_>) -> Option<()> {
        if !scan.null() {
            self.id = scan.name_or_number(LONGEST_NAME)?;
        }
        Some(())
    }

    pub fn read(&mut self, property: Property, scan: &mut Scan<'_>) -> Option<()> {
        match property {
            Property::Purpose => {
                let said = scan.word()?;
                let place = PURPOSES.iter().position(|known| *known == said)?;
                self.purpose = u8::try_from(place).ok()?;
            }
            Property::OwnId => self.own_id = own_id(scan)?,
            Property::Party => self.party = scan.name(LONGEST_NAME)?,
            Property::Label => self.label = scan.name(LONGEST_LABEL)?,
        }
        Some(())
    }
}

fn own_id(scan: &mut Scan<'_>) -> Option<Spot> {
    let spot = scan.name(32)?;
    let digits = &scan.text[spot.0..spot.1];
    let is_id = digits.len() == 32
        && digits
            .iter()
            .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then_some(spot)
}
