//! The same bytes as another implementation, the crate `voprf`, on random inputs.

#[path = "common/scatter.rs"]
mod scatter;

use curve25519_dalek::ristretto::CompressedRistretto;
use deconflict_sealed::cells::Cells;
use deconflict_sealed::keys::info;
use deconflict_sealed::receiver::Receiver;
use deconflict_sealed::seed::Seed;
use deconflict_sealed::sender::{public_key, Sender};
use deconflict_sealed::suite::{Mode, Suite};
use rand_core::RngCore;
use scatter::Scatter;
use voprf::{BlindedElement, EvaluationElement, PoprfClient, PoprfServer, Proof, Ristretto255};

const WIDTH: usize = 10;

#[test]
fn points_tags_and_proofs_are_those_of_another_implementation() {
    for run in 0..20_u64 {
        let mut scatter = Scatter(run);
        let mut random = |bytes: &mut [u8]| scatter.fill_bytes(bytes);
        let (mut asking, mut answering, mut ssid) = ([0; 32], [0; 32], [0; 32]);
        random(&mut asking);
        random(&mut answering);
        random(&mut ssid);
        let per_slot = 1 + run as usize * 3;
        let slots = [3, 4 + run as u32];
        let mut cells = vec![0; 2 * per_slot * WIDTH];
        random(&mut cells);
        let sizes = [per_slot as u32; 2];
        let cells = Cells::new(&slots, &sizes, WIDTH, &cells).unwrap();

        let seed = Seed::new(answering);
        let sender = Sender::new(seed.clone(), ssid).unwrap();
        let receiver = Receiver::new(Seed::new(asking), ssid, &public_key(&seed).unwrap()).unwrap();
        let question = receiver.ask(&cells, per_slot, 2).unwrap();
        let answer = sender
            .evaluate(&slots, per_slot, question.points(), 2)
            .unwrap();
        let tags = sender.tags(&cells, 2).unwrap();

        let key = seed.key(&Suite::new(Mode::Poprf).unwrap()).unwrap();
        let server = PoprfServer::<Ristretto255>::new_with_key(key.scalar().as_bytes()).unwrap();
        let mut others_evaluated = Vec::new();
        let mut others_proofs = Vec::new();
        for (place, (slot, own)) in cells.by_slot().enumerate() {
            let info = info(&ssid, slot);
            let own_points = |bytes: &[u8]| -> Vec<[u8; 32]> {
                let (points, _) = bytes.as_chunks::<32>();
                points[place * per_slot..][..per_slot].to_vec()
            };
            let inputs: Vec<_> = own.chunks_exact(WIDTH).collect();
            let (mut clients, mut blinded) = (Vec::new(), Vec::new());
            for (index, (input, sent)) in
                inputs.iter().zip(own_points(question.points())).enumerate()
            {
                let blind = Seed::new(asking).blind(&ssid, slot, index as u32).unwrap();
                let made =
                    PoprfClient::<Ristretto255>::deterministic_blind_unchecked(input, *blind)
                        .unwrap();
                assert_eq!(made.message.serialize()[..], sent);
                clients.push(made.state);
                blinded.push(BlindedElement::deserialize(&sent).unwrap());
            }
            let theirs = server
                .batch_blind_evaluate(&mut Scatter(run), &blinded, Some(&info))
                .unwrap();
            others_proofs.extend_from_slice(&theirs.proof.serialize());
            let evaluated: Vec<_> = own_points(&answer.evaluated)
                .iter()
                .map(|sent| EvaluationElement::<Ristretto255>::deserialize(sent).unwrap())
                .collect();
            for (one, other) in theirs.messages.iter().zip(&evaluated) {
                assert_eq!(one.serialize(), other.serialize());
                others_evaluated.extend_from_slice(&one.serialize());
            }
            // Our proof, checked by the other implementation.
            let proof = Proof::deserialize(&answer.proofs[place * 64..][..64]).unwrap();
            let public = CompressedRistretto(public_key(&seed).unwrap());
            let outputs = PoprfClient::batch_finalize(
                inputs.iter().copied(),
                &clients,
                &evaluated,
                &proof,
                public.decompress().unwrap(),
                Some(&info),
            )
            .unwrap();
            for (index, output) in outputs.enumerate() {
                let output = output.unwrap();
                assert_eq!(output, server.evaluate(inputs[index], Some(&info)).unwrap());
                let tag = &tags[(place * per_slot + index) * 12..][..12];
                assert_eq!(&output[..12], tag);
            }
        }
        // Its proofs, with nonces of its own, checked by us.
        assert_eq!(others_evaluated, answer.evaluated);
        assert_eq!(
            question
                .finalize(&others_evaluated, &others_proofs, 2)
                .unwrap(),
            tags
        );
        assert_eq!(
            question
                .finalize(&answer.evaluated, &answer.proofs, 1)
                .unwrap(),
            tags
        );
    }
}
