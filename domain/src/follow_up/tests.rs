use super::rank;

#[test]
fn late_comes_before_urgent_and_urgent_before_the_rest() {
    let order = [(true, true), (true, false), (false, true), (false, false)];
    let ranks = order.map(|(late, urgent)| rank(late, urgent));
    assert!(ranks.is_sorted_by(|a, b| a < b), "{ranks:?}");
    assert_eq!(ranks, [0, 1, 2, 3], "the table checks this range");
}
