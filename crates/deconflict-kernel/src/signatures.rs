//! Ed25519 signatures of one key over many statements, as a start proves a whole record.
//!
//! libsodium judges every statement that arrives, one by one (`deconflict.line.keys`). What it let
//! in is judged again here, at each start: the same equation (RFC 8032 §5.1.7, no cofactor), the
//! same refusals (S out of range, A or R of small order), without asking Python in between.

use ed25519_dalek::{Signature, VerifyingKey, SIGNATURE_LENGTH};

/// The public key is no point of the curve, or of small order: nothing it signed proves anything.
#[derive(Debug, PartialEq, Eq)]
pub struct WeakKey;

/// The place of the first statement whose signature does not hold; `None` when all hold.
///
/// What is signed is `context` followed by the statement. A signature of another length than 64
/// bytes does not hold.
pub fn first_bad<'a>(
    public: &[u8; 32],
    context: &[u8],
    statements: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
) -> Result<Option<usize>, WeakKey> {
    let key = VerifyingKey::from_bytes(public).map_err(|_| WeakKey)?;
    if key.is_weak() {
        return Err(WeakKey);
    }
    let mut signed = context.to_vec();
    for (place, (statement, signature)) in statements.into_iter().enumerate() {
        signed.truncate(context.len());
        signed.extend_from_slice(statement);
        let Ok(signature) = <&[u8; SIGNATURE_LENGTH]>::try_from(signature) else {
            return Ok(Some(place));
        };
        let signature = Signature::from_bytes(signature);
        if key.verify_strict(&signed, &signature).is_err() {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};

    const CONTEXT: &[u8] = b"deconflict/1 envelope\n";

    fn signed(key: &SigningKey, statement: &[u8]) -> Vec<u8> {
        key.sign(&[CONTEXT, statement].concat()).to_bytes().to_vec()
    }

    #[test]
    fn the_first_altered_statement_is_named() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let texts: Vec<Vec<u8>> = (0..5u8).map(|n| vec![n; 100]).collect();
        let signatures: Vec<Vec<u8>> = texts.iter().map(|t| signed(&key, t)).collect();
        let pairs = |texts: &[Vec<u8>]| -> Result<Option<usize>, WeakKey> {
            let both = texts.iter().zip(&signatures);
            first_bad(&public, CONTEXT, both.map(|(t, s)| (&t[..], &s[..])))
        };
        assert_eq!(pairs(&texts), Ok(None));
        let mut altered = texts.clone();
        altered[3][50] ^= 1;
        altered[4][50] ^= 1;
        assert_eq!(pairs(&altered), Ok(Some(3)));
    }

    #[test]
    fn a_cut_signature_does_not_hold() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let whole = signed(&key, b"x");
        let cut = [(&b"x"[..], &whole[..63])];
        assert_eq!(first_bad(&public, CONTEXT, cut), Ok(Some(0)));
    }

    #[test]
    fn another_context_does_not_hold() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = key.verifying_key().to_bytes();
        let whole = signed(&key, b"x");
        let pair = [(&b"x"[..], &whole[..])];
        assert_eq!(
            first_bad(&public, b"deconflict/1 receipt\n", pair),
            Ok(Some(0))
        );
    }

    #[test]
    fn a_key_of_small_order_is_refused() {
        // The neutral element: with it, R = neutral and S = 0 would fit every statement.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut fits_all = [0; 64];
        fits_all[0] = 1;
        let pair = [(&b"x"[..], &fits_all[..])];
        assert_eq!(first_bad(&neutral, CONTEXT, pair), Err(WeakKey));
    }
}
