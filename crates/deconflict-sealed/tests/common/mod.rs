//! Published vectors, read.

use serde_json::Value;

pub fn published() -> Value {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../vectors/private-check.json"
    );
    let text = std::fs::read_to_string(file).expect("the vectors lie beside the crates");
    serde_json::from_str(&text).expect("the vectors are JSON")
}

pub fn cases<'a>(published: &'a Value, of: &str, list: &str) -> &'a Vec<Value> {
    published[of][list].as_array().expect("a list of cases")
}

pub fn bytes(hexadecimal: &Value) -> Vec<u8> {
    let text = hexadecimal.as_str().expect("text");
    assert!(text.len().is_multiple_of(2));
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digits).collect()
}

pub fn sized<const N: usize>(hexadecimal: &Value) -> [u8; N] {
    bytes(hexadecimal).try_into().expect("the right length")
}
