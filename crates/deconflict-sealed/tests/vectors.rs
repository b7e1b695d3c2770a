//! The published vectors of RFC 9497, RFC 9496 and RFC 9380.

mod common;

use common::{bytes, cases, published, sized};
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity;
use deconflict_sealed::expand::Expander;
use deconflict_sealed::keys::{PublicKey, SecretKey};
use deconflict_sealed::proof::{prove, verify, weighted_sum, Statement, Weights};
use deconflict_sealed::suite::{finalize, Mode, Suite};
use serde_json::Value;

fn scalar(hexadecimal: &Value) -> Scalar {
    Option::from(Scalar::from_canonical_bytes(sized(hexadecimal))).expect("canonical")
}

fn point(hexadecimal: &Value) -> RistrettoPoint {
    let encoded = CompressedRistretto(sized(hexadecimal));
    encoded.decompress().expect("a point")
}

fn list<T>(case: &Value, name: &str, read: impl Fn(&Value) -> T) -> Vec<T> {
    let items = case[name].as_array().expect("a list");
    items.iter().map(read).collect()
}

fn check_oprf(case: &Value) {
    let mode = match case["mode"].as_str() {
        Some("OPRF") => Mode::Oprf,
        Some("VOPRF") => Mode::Voprf,
        Some("POPRF") => Mode::Poprf,
        other => panic!("mode {other:?}"),
    };
    let suite = Suite::new(mode).unwrap();
    let key = SecretKey::derive(&suite, &sized(&case["seed"]), &bytes(&case["key_info"])).unwrap();
    assert_eq!(key.scalar(), &scalar(&case["secret_key"]));
    if mode != Mode::Oprf {
        assert_eq!(key.public(), point(&case["public_key"]));
    }
    let info = (mode == Mode::Poprf).then(|| bytes(&case["info"]));
    // What multiplies a blinded point: the key, or one over the tweaked key.
    let (secret, factor, public) = match &info {
        None => (*key.scalar(), *key.scalar(), key.public()),
        Some(info) => {
            let tweaked = key.tweaked(&suite, info).unwrap();
            let sent = PublicKey::decode(&sized(&case["public_key"])).unwrap();
            assert_eq!(sent.tweaked(&suite, info).unwrap(), tweaked.public());
            (
                *tweaked.scalar(),
                tweaked.scalar().invert(),
                tweaked.public(),
            )
        }
    };
    let inputs = list(case, "inputs", bytes);
    let blinds = list(case, "blinds", scalar);
    let outputs = list(case, "outputs", bytes);
    let blinded = list(case, "blinded", point);
    let evaluated = list(case, "evaluated", point);
    for (place, input) in inputs.iter().enumerate() {
        let element = suite.hash_to_group(input).unwrap();
        assert_eq!(blinds[place] * element, blinded[place]);
        assert_eq!(factor * blinded[place], evaluated[place]);
        let unblinded = blinds[place].invert() * evaluated[place];
        let output = finalize(input, info.as_deref(), &unblinded.compress().to_bytes());
        assert_eq!(output[..], outputs[place]);
        let direct = (factor * element).compress().to_bytes();
        assert_eq!(
            finalize(input, info.as_deref(), &direct)[..],
            outputs[place]
        );
    }
    if mode == Mode::Oprf {
        return;
    }
    // RFC 9497 §3.3.2 proves blinded to evaluated, §3.3.3 the other way round.
    let (c, d) = match mode {
        Mode::Poprf => (evaluated, blinded),
        _ => (blinded, evaluated),
    };
    let weights = Weights::new(&suite, &public.compress());
    let weights: Vec<_> = c
        .iter()
        .zip(&d)
        .zip(0..)
        .map(|((c, d), at)| weights.of(at, c.compress().as_bytes(), d.compress().as_bytes()))
        .collect();
    let (m, z) = (weighted_sum(&weights, &c), weighted_sum(&weights, &d));
    let statement = Statement {
        key: public.compress(),
        m: m.compress(),
        z: z.compress(),
    };
    let nonce = scalar(&case["proof_nonce"]);
    let proof = prove(&suite, &secret, &nonce, &statement, &m);
    assert_eq!(proof[..], bytes(&case["proof"]));
    assert_eq!(verify(&suite, &public, &m, &z, &statement, &proof), Ok(()));
}

#[test]
fn rfc_9497_all_modes_batches_and_proofs() {
    let published = published();
    let cases = cases(&published, "rfc9497", "cases");
    assert_eq!(cases.len(), 8);
    cases.iter().for_each(check_oprf);
}

#[test]
fn rfc_9496_multiples_of_the_generator() {
    let published = published();
    let mut multiple = RistrettoPoint::identity();
    for encoded in cases(&published, "rfc9496", "multiples_of_generator") {
        assert_eq!(multiple.compress().to_bytes(), sized(encoded));
        assert_eq!(point(encoded), multiple);
        multiple += RISTRETTO_BASEPOINT_POINT;
    }
}

#[test]
fn rfc_9496_invalid_encodings_are_no_keys() {
    let published = published();
    let invalid = cases(&published, "rfc9496", "invalid");
    assert_eq!(invalid.len(), 29);
    for case in invalid {
        assert!(
            PublicKey::decode(&sized(&case["encoding"])).is_err(),
            "{case}"
        );
    }
}

#[test]
fn rfc_9496_one_way_map() {
    let published = published();
    for case in cases(&published, "rfc9496", "one_way_map") {
        let mapped = RistrettoPoint::from_uniform_bytes(&sized(&case["uniform"]));
        assert_eq!(mapped, point(&case["element"]));
    }
}

#[test]
fn rfc_9380_expand_message_xmd() {
    let published = published();
    let domain = published["rfc9380"]["dst"].as_str().unwrap();
    let expander = Expander::new(&[domain.as_bytes()]).unwrap();
    for case in cases(&published, "rfc9380", "cases") {
        let message = case["message"].as_str().unwrap().as_bytes();
        let expected = bytes(&case["uniform"]);
        match expected.len() {
            32 => assert_eq!(expander.expand::<32>(&[message])[..], expected),
            128 => assert_eq!(expander.expand::<128>(&[message])[..], expected),
            other => panic!("{other} bytes"),
        }
    }
}

#[test]
fn a_domain_longer_than_255_bytes_is_refused() {
    assert!(Expander::new(&[&[7; 255]]).is_ok());
    assert!(Expander::new(&[&[7; 200], &[7; 56]]).is_err());
}
