//! A share of the search for a broken bound that `make search` carries on.

#[path = "../examples/search_bounds/search.rs"]
mod search;

#[test]
fn no_bound_is_broken() {
    for found in search::all(&mut search::Random(1), 2_000_000) {
        println!("{found:?}");
        assert!(found.ratio <= 1.0, "{}: {}", found.of, found.ratio);
    }
}
