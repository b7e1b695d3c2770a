//! What is refused, which one it names, and that threads change no byte.

use curve25519_dalek::ristretto::CompressedRistretto;
use deconflict_sealed::cells::Cells;
use deconflict_sealed::receiver::{Question, Receiver};
use deconflict_sealed::refusal::Points;
use deconflict_sealed::seed::Seed;
use deconflict_sealed::sender::{public_key, Answer, Sender};
use deconflict_sealed::Refusal;

const SSID: [u8; 32] = [7; 32];
const SLOTS: [u32; 3] = [2, 5, 9];
const SIZES: [u32; 3] = [4, 0, 3];
const PER_SLOT: usize = 4;
const WIDTH: usize = 10;

fn own_cells() -> Vec<u8> {
    (0..7 * WIDTH as u8).collect()
}

fn sender() -> Sender {
    Sender::new(Seed::new([1; 32]), SSID).unwrap()
}

fn receiver() -> Receiver {
    let key = public_key(&Seed::new([1; 32])).unwrap();
    Receiver::new(Seed::new([2; 32]), SSID, &key).unwrap()
}

fn asked(threads: usize) -> Question {
    let bytes = own_cells();
    let cells = Cells::new(&SLOTS, &SIZES, WIDTH, &bytes).unwrap();
    receiver().ask(&cells, PER_SLOT, threads).unwrap()
}

fn answered(threads: usize) -> Answer {
    let question = asked(threads);
    sender()
        .evaluate(&SLOTS, PER_SLOT, question.points(), threads)
        .unwrap()
}

fn evaluation_of(points: &[u8]) -> Result<Answer, Refusal> {
    sender().evaluate(&SLOTS, PER_SLOT, points, 2)
}

#[test]
fn no_byte_depends_on_how_many_threads_there_are() {
    for threads in [0, 1, 2, 7] {
        assert_eq!(asked(threads).points(), asked(1).points());
        assert_eq!(answered(threads), answered(1));
    }
}

#[test]
fn slots_longer_than_a_piece_are_proven_as_one() {
    for count in [255, 256, 257, 600] {
        let bytes: Vec<u8> = (0..count as u32).flat_map(u32::to_be_bytes).collect();
        let sizes = [count as u32];
        let cells = Cells::new(&[8], &sizes, 4, &bytes).unwrap();
        let question = receiver().ask(&cells, count, 2).unwrap();
        let answer = sender()
            .evaluate(&[8], count, question.points(), 2)
            .unwrap();
        assert_eq!(answer.proofs.len(), 64);
        let tags = question.finalize(&answer.evaluated, &answer.proofs, 2);
        assert_eq!(tags.unwrap(), sender().tags(&cells, 2).unwrap());
    }
}

#[test]
fn without_slots_nothing_is_asked_and_nothing_found() {
    let cells = Cells::new(&[], &[], WIDTH, &[]).unwrap();
    let question = receiver().ask(&cells, 32, 2).unwrap();
    assert!(question.points().is_empty());
    let answer = sender().evaluate(&[], 32, &[], 2).unwrap();
    assert_eq!(
        question.finalize(&answer.evaluated, &answer.proofs, 2),
        Ok(vec![])
    );
    assert_eq!(sender().tags(&cells, 2), Ok(vec![]));
}

#[test]
fn a_point_that_is_none_is_named() {
    let mut points = asked(1).points().to_vec();
    let place = PER_SLOT + 2; // third of slot 5
    points[place * 32..][..32].fill(0xff);
    let named = Refusal::NotCanonical {
        points: Points::Blinded,
        slot: 5,
        index: 2,
    };
    assert_eq!(evaluation_of(&points), Err(named));
    points[place * 32..][..32].fill(0);
    let named = Refusal::Identity {
        points: Points::Blinded,
        slot: 5,
        index: 2,
    };
    assert_eq!(evaluation_of(&points), Err(named));
    points.copy_within(PER_SLOT * 32..(PER_SLOT + 1) * 32, place * 32);
    let named = Refusal::Duplicate {
        points: Points::Blinded,
        slot: 5,
        index: 2,
        first: 0,
    };
    assert_eq!(evaluation_of(&points), Err(named));
}

#[test]
fn of_several_faults_the_earliest_is_named_whatever_the_threads() {
    let mut points = asked(1).points().to_vec();
    points[11 * 32..][..32].fill(0xff);
    points[PER_SLOT * 32..][..32].fill(0xff);
    for threads in [1, 2, 5] {
        let refusal = sender().evaluate(&SLOTS, PER_SLOT, &points, threads);
        let refusal = refusal.unwrap_err();
        assert_eq!((refusal.slot(), refusal.index()), (Some(5), Some(0)));
    }
}

#[test]
fn the_same_point_in_two_slots_is_evaluated_twice() {
    // Harmless: in each slot it is another function, and each counts against its slot's points.
    let mut points = asked(1).points().to_vec();
    points.copy_within(0..32, PER_SLOT * 32);
    let answer = evaluation_of(&points).unwrap();
    assert_ne!(
        answer.evaluated[..32],
        answer.evaluated[PER_SLOT * 32..][..32]
    );
}

#[test]
fn another_number_of_points_is_refused() {
    let points = asked(1).points().to_vec();
    for cut in [0, 31, 32, points.len() - 1] {
        let refusal = evaluation_of(&points[..cut]).unwrap_err();
        assert_eq!(refusal.code(), "WRONG_COUNT");
    }
    let more = [&points[..], &points[..32]].concat();
    assert_eq!(evaluation_of(&more).unwrap_err().code(), "WRONG_COUNT");
    for per_slot in [0, 65_536, usize::MAX] {
        let refusal = sender().evaluate(&SLOTS, per_slot, &points, 1);
        assert_eq!(refusal, Err(Refusal::PointsPerSlot { given: per_slot }));
    }
}

#[test]
fn a_slot_given_twice_or_out_of_order_is_refused() {
    let points = asked(1).points().to_vec();
    for slots in [[2, 2, 9], [2, 5, 5], [5, 2, 9]] {
        let refusal = sender().evaluate(&slots, PER_SLOT, &points, 1).unwrap_err();
        assert_eq!(refusal.code(), "SLOT_ORDER");
        assert!(Cells::new(&slots, &SIZES, WIDTH, &own_cells()).is_err());
    }
}

#[test]
fn cells_that_do_not_add_up_are_refused() {
    let bytes = own_cells();
    for (sizes, width) in [([4, 0, 4], 10), ([4, 0, 3], 9), ([u32::MAX; 3], 65_535)] {
        assert!(Cells::new(&SLOTS, &sizes, width, &bytes).is_err());
    }
    assert!(Cells::new(&SLOTS, &SIZES[..2], WIDTH, &bytes).is_err());
    for width in [0, 65_536] {
        let refusal = Cells::new(&[], &[], width, &[]).err();
        assert_eq!(refusal, Some(Refusal::CellLength { given: width }));
    }
}

#[test]
fn more_cells_than_points_are_refused_and_never_cut() {
    let bytes = own_cells();
    let cells = Cells::new(&SLOTS, &SIZES, WIDTH, &bytes).unwrap();
    let refusal = receiver().ask(&cells, 3, 1).err();
    let named = Refusal::OverBucket {
        slot: 2,
        cells: 4,
        per_slot: 3,
    };
    assert_eq!(refusal, Some(named));
}

#[test]
fn a_key_that_is_no_key_is_refused() {
    for key in [[0; 32], [0xff; 32]] {
        let refusal = Receiver::new(Seed::new([2; 32]), SSID, &key).err();
        assert_eq!(refusal, Some(Refusal::BadKey));
    }
}

#[test]
fn every_flipped_bit_of_an_answer_is_refused() {
    let (question, answer) = (asked(1), answered(1));
    assert!(question
        .finalize(&answer.evaluated, &answer.proofs, 1)
        .is_ok());
    for bit in 0..answer.evaluated.len() * 8 {
        let mut altered = answer.evaluated.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let refusal = question.finalize(&altered, &answer.proofs, 1).unwrap_err();
        let slot = SLOTS[bit / 8 / 32 / PER_SLOT];
        assert_eq!(refusal.slot(), Some(slot), "bit {bit}: {refusal}");
    }
    for bit in 0..answer.proofs.len() * 8 {
        let mut altered = answer.proofs.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let refusal = question
            .finalize(&answer.evaluated, &altered, 1)
            .unwrap_err();
        assert_eq!(
            refusal.slot(),
            Some(SLOTS[bit / 8 / 64]),
            "bit {bit}: {refusal}"
        );
    }
}

#[test]
fn an_answer_with_another_key_or_for_another_session_does_not_hold() {
    let question = asked(1);
    for (seed, ssid) in [([3; 32], SSID), ([1; 32], [8; 32])] {
        let other = Sender::new(Seed::new(seed), ssid).unwrap();
        let answer = other
            .evaluate(&SLOTS, PER_SLOT, question.points(), 1)
            .unwrap();
        let refusal = question.finalize(&answer.evaluated, &answer.proofs, 1);
        assert_eq!(refusal, Err(Refusal::BadProof { slot: 2 }));
    }
}

#[test]
fn points_in_another_order_do_not_hold() {
    let (question, mut answer) = (asked(1), answered(1));
    let (one, other) = answer.evaluated.split_at_mut(32);
    one.swap_with_slice(&mut other[..32]);
    let refusal = question.finalize(&answer.evaluated, &answer.proofs, 1);
    assert_eq!(refusal, Err(Refusal::BadProof { slot: 2 }));
}

#[test]
fn pads_are_points_like_others() {
    let bytes = own_cells();
    let cells = Cells::new(&SLOTS, &[0; 3], WIDTH, &[]).unwrap();
    let empty = receiver().ask(&cells, PER_SLOT, 1).unwrap();
    assert_eq!(empty.points().len(), asked(1).points().len());
    for encoded in empty.points().as_chunks::<32>().0 {
        assert!(CompressedRistretto(*encoded).decompress().is_some());
    }
    // The pads of the slot that is empty in both are the same: they come from the seed.
    let slot = PER_SLOT * 32..2 * PER_SLOT * 32;
    assert_eq!(empty.points()[slot.clone()], asked(1).points()[slot]);
    let answer = evaluation_of(empty.points()).unwrap();
    assert_eq!(
        empty.finalize(&answer.evaluated, &answer.proofs, 1),
        Ok(vec![])
    );
    assert!(Cells::new(&SLOTS, &[0; 3], WIDTH, &bytes).is_err());
}

#[test]
fn an_output_begins_with_its_tag_and_is_the_same_on_both_sides() {
    let bytes = own_cells();
    let cells = Cells::new(&SLOTS, &SIZES, WIDTH, &bytes).unwrap();
    let (question, answer) = (asked(1), answered(1));
    let tags = sender().tags(&cells, 1).unwrap();
    for length in [12, 13, 44, 64] {
        let outputs = sender().outputs(&cells, length, 2).unwrap();
        let opened = question.open(&answer.evaluated, &answer.proofs, length, 2);
        assert_eq!(opened.unwrap(), outputs);
        for (output, tag) in outputs.chunks(length).zip(tags.chunks(12)) {
            assert_eq!(&output[..12], tag);
        }
    }
    for length in [0, 11, 65] {
        let refusal = sender().outputs(&cells, length, 1).unwrap_err();
        assert_eq!(refusal.code(), "WRONG_LENGTH");
        let refusal = question.open(&answer.evaluated, &answer.proofs, length, 1);
        assert_eq!(refusal.unwrap_err().code(), "WRONG_LENGTH");
    }
}

#[test]
fn salts_and_pad_tags_stand_in_order() {
    let seed = Seed::new([1; 32]);
    let places: Vec<(u32, u32)> = (0..5_000).map(|index| (3, index)).collect();
    let salts = seed.salts(&places, 3);
    assert_eq!(salts.len(), 5_000 * 32);
    assert_eq!(salts[4_999 * 32..], seed.salts(&[(3, 4_999)], 1));
    let tags = seed.pad_tags(&SSID, 5_000, 3);
    assert_eq!(tags.len(), 5_000 * 12);
    assert_eq!(tags[..4_096 * 12], seed.pad_tags(&SSID, 4_096, 1));
    assert!(seed.pad_tags(&SSID, 0, 3).is_empty());
}
