//! What is said, as lines of JSON.

use awg_link::linux::Drops;
use awg_link::{Quantiles, Statistics};

/// Statistics of both ways. Delays are in milliseconds; `late` is how much later than due packets were given.
pub(crate) fn statistics(event: &str, ways: &[(Statistics, Drops); 2]) -> String {
    let [up, down] = ways
        .each_ref()
        .map(|(statistics, drops)| one_way(statistics, *drops));
    format!("{{\"event\":\"{event}\",\"up\":{up},\"down\":{down}}}")
}

/// Something could not be done.
pub(crate) fn error(message: &str) -> String {
    let escaped: String = message.chars().flat_map(char::escape_default).collect();
    // Rust's escapes are JSON's but for those of single quotes and of code points.
    let escaped = escaped.replace("\\'", "'").replace("\\u{", "u{");
    format!("{{\"event\":\"error\",\"message\":\"{escaped}\"}}")
}

fn one_way(statistics: &Statistics, drops: Drops) -> String {
    format!(
        "{{\"passed\":{},\"passed_bytes\":{},\"lost\":{},\"dropped\":{},\"duplicated\":{},\"reordered\":{},\
         \"unplaced\":{},\"unsendable\":{},\"queue_peak_bytes\":{},{},{}}}",
        statistics.passed,
        statistics.passed_bytes,
        statistics.lost,
        statistics.dropped,
        statistics.duplicated,
        statistics.reordered,
        drops.unplaced,
        drops.unsendable,
        statistics.queue_peak,
        quantiles("queue", &statistics.queue_delay),
        quantiles("late", &statistics.lateness),
    )
}

fn quantiles(name: &str, times: &Quantiles) -> String {
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|share| times.at(share) as f64 / 1e6);
    format!("\"{name}_p50_ms\":{p50:.3},\"{name}_p95_ms\":{p95:.3},\"{name}_p99_ms\":{p99:.3}")
}
