//! Amounts as Kubernetes writes them: `250m`, `1.5`, `64Mi`, `1k`, `2e3`.

/// In thousandths, rounded up; `None` for what is no quantity, or is greater than anything that is counted.
pub fn thousandths(text: &str) -> Option<i128> {
    let (number, unit) = split(text);
    let (digits, places) = match number.split_once('.') {
        Some((whole, part)) => (format!("{whole}{part}"), part.len()),
        None => (number.to_owned(), 0),
    };
    let digits: i128 = digits.parse().ok()?;
    let (times, per) = scale(unit)?;
    let places = u32::try_from(places).ok()?;
    let up = digits.checked_mul(times)?;
    let down = per.checked_mul(10_i128.checked_pow(places)?)?;
    Some(up.div_euclid(down) + i128::from(up.rem_euclid(down) > 0))
}

/// The number, and the letters or the exponent after it.
fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-' | '+'));
    text.split_at(end.unwrap_or(text.len()))
}

/// By what a number is multiplied and divided to be in thousandths.
fn scale(unit: &str) -> Option<(i128, i128)> {
    let exponent = unit
        .strip_prefix(['e', 'E'])
        .filter(|digits| !digits.is_empty());
    if let Some(exponent) = exponent {
        let exponent: i32 = exponent.parse().ok()?;
        let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
        return Some(if exponent < 0 {
            (1000, power)
        } else {
            (power.checked_mul(1000)?, 1)
        });
    }
    let thousand = |n: u32| Some((1000_i128.pow(n + 1), 1));
    let binary = |n: u32| Some((1000 * 1024_i128.pow(n), 1));
    match unit {
        "n" => Some((1, 1_000_000)),
        "u" => Some((1, 1_000)),
        "m" => Some((1, 1)),
        "" => thousand(0),
        "k" => thousand(1),
        "M" => thousand(2),
        "G" => thousand(3),
        "T" => thousand(4),
        "P" => thousand(5),
        "E" => thousand(6),
        "Ki" => binary(1),
        "Mi" => binary(2),
        "Gi" => binary(3),
        "Ti" => binary(4),
        "Pi" => binary(5),
        "Ei" => binary(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_kubernetes_reads_them() {
        for (text, want) in [
            ("0", Some(0)),
            ("5", Some(5_000)),
            ("250m", Some(250)),
            ("1.5", Some(1_500)),
            ("0.0001", Some(1)),
            (".5", Some(500)),
            ("100u", Some(1)),
            ("1n", Some(1)),
            ("64Mi", Some(64 * 1024 * 1024 * 1000)),
            ("1.5Gi", Some(3 * 512 * 1024 * 1024 * 1000)),
            ("2k", Some(2_000_000)),
            ("1E", Some(1_000_000_000_000_000_000_000)),
            ("2e3", Some(2_000_000)),
            ("2E-3", Some(2)),
            ("-1", Some(-1_000)),
            ("", None),
            ("ten", None),
            ("1 Gi", None),
            ("1e99", None),
            ("99999999999999999999999999999999999999Ei", None),
        ] {
            assert_eq!(thousandths(text), want, "{text}");
        }
    }
}
