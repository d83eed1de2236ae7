//! One number out of an answer, or why there is none. What is not exactly one number is never taken for one.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sources::words;

/// A moment of the server's clock, in seconds.
pub type Seconds = f64;

/// Evenly spread moments up to `end`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    pub end: Seconds,
    pub step: Seconds,
    pub points: u32,
}

impl Grid {
    pub fn start(&self) -> Seconds {
        self.end - f64::from(self.points.saturating_sub(1)) * self.step
    }
}

/// The value of a question about now, and the moment that the server takes for now.
///
/// # Errors
/// Why that is not one number.
pub fn instant(body: &[u8]) -> Result<(Seconds, f64), String> {
    let answer: Answer<'_> = read(body)?;
    let data = answer.data()?;
    let sample: Sample = match &*data.result_type {
        "scalar" => read(data.result.get().as_bytes())?,
        "vector" => only::<Instant>(data)?.value,
        other => return Err(no_number(other)),
    };
    Ok((sample.0, number(&sample.1)?))
}

/// The value at each moment of the grid; that of the last has to be there.
///
/// # Errors
/// Why that is not one number a moment.
pub fn range(body: &[u8], grid: Grid) -> Result<Vec<Option<f64>>, String> {
    let answer: Answer<'_> = read(body)?;
    let data = answer.data()?;
    if data.result_type != "matrix" {
        return Err(no_number(&data.result_type));
    }
    let one: Range = only(data)?;
    let at = |place: u32| {
        let moment = grid.start() + f64::from(place) * grid.step;
        let mut near = one.values.iter();
        near.find(|sample| (sample.0 - moment).abs() < grid.step / 2.0)
    };
    let last = at(grid.points.saturating_sub(1)).ok_or("the query finds nothing now")?;
    number(&last.1)?;
    let points = 0..grid.points;
    Ok(points.map(|place| number(&at(place)?.1).ok()).collect())
}

/// In units of which so many are one: millionths, thousandths.
///
/// # Errors
/// It is below nothing, or larger than anything that is measured.
pub fn whole(value: f64, unit: f64) -> Result<u64, String> {
    let value = value * unit;
    // Past 2^53 a float is no longer exact.
    if !(0.0..9.0e15).contains(&value) {
        let side = if value < 0.0 { "below 0" } else { "too large" };
        return Err(format!("the query gives a number that is {side}"));
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "its range was just looked at"
    )]
    let whole = value.round() as u64;
    Ok(whole)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    status: String,
    #[serde(borrow)]
    data: Option<Data<'a>>,
    #[serde(default)]
    error: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    result_type: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

/// Its moment, and a number as text.
#[derive(Deserialize)]
struct Sample(f64, String);

#[derive(Deserialize)]
struct Instant {
    value: Sample,
}

#[derive(Deserialize)]
struct Range {
    values: Vec<Sample>,
}

impl<'a> Answer<'a> {
    fn data(&self) -> Result<&Data<'a>, String> {
        match &self.data {
            Some(data) if self.status == "success" => Ok(data),
            _ if self.error.is_empty() => Err("the query gives nothing".into()),
            _ => Err(words::shorten(&self.error)),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|why| {
        let why = words::unreadable(&why);
        format!("the answer is not what Prometheus says: {why}")
    })
}

fn only<'a, T: Deserialize<'a>>(data: &Data<'a>) -> Result<T, String> {
    let found: Vec<T> = read(data.result.get().as_bytes())?;
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (Some(one), 1) => Ok(one),
        (None, _) => Err("the query finds nothing".into()),
        (Some(_), _) => Err(format!(
            "the query finds {count} series, where one is wanted: sum them"
        )),
    }
}

fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(format!("the query gives {text}")),
        Err(_) => Err("the query gives something that is no number".into()),
    }
}

fn no_number(kind: &str) -> String {
    let kind: String = kind.chars().take(20).collect();
    format!("the query gives a {kind}, where a number is wanted")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(result: &str) -> String {
        format!(r#"{{"status":"success","data":{{"resultType":"vector","result":{result}}}}}"#)
    }

    fn matrix(values: &str) -> String {
        let result = format!(r#"[{{"metric":{{}},"values":[{values}]}}]"#);
        format!(r#"{{"status":"success","data":{{"resultType":"matrix","result":{result}}}}}"#)
    }

    #[test]
    fn one_number_or_why_not() {
        let one = |value: &str| {
            vector(&format!(
                r#"[{{"metric":{{}},"value":[1795780000.5,"{value}"]}}]"#
            ))
        };
        let two = r#"{"metric":{},"value":[1,"2"]}"#;
        for (body, want) in [
            (one("12.5"), Ok((1_795_780_000.5, 12.5))),
            (
                r#"{"status":"success","data":{"resultType":"scalar","result":[7,"3"]}}"#.into(),
                Ok((7.0, 3.0)),
            ),
            (one("NaN"), Err("the query gives NaN")),
            (one("+Inf"), Err("the query gives +Inf")),
            (one("-Inf"), Err("the query gives -Inf")),
            (one(""), Err("the query gives something that is no number")),
            (vector("[]"), Err("the query finds nothing")),
            (
                vector(&format!("[{two},{two}]")),
                Err("the query finds 2 series, where one is wanted: sum them"),
            ),
            (
                matrix(""),
                Err("the query gives a matrix, where a number is wanted"),
            ),
            (
                r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#.into(),
                Err("parse error"),
            ),
            (
                r#"{"status":"success"}"#.into(),
                Err("the query gives nothing"),
            ),
        ] {
            let said = instant(body.as_bytes());
            assert_eq!(
                said.as_ref().map_err(String::as_str),
                want.as_ref().map_err(|w| *w),
                "{body}"
            );
        }
        for body in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"status":1}"#,
            &"[".repeat(200_000),
        ] {
            let said = instant(body.as_bytes()).unwrap_err();
            assert!(
                said.starts_with("the answer is not what Prometheus says"),
                "{said}"
            );
        }
    }

    #[test]
    fn a_range_has_its_gaps_and_ends_now() {
        let grid = Grid {
            end: 1000.0,
            step: 150.0,
            points: 4,
        };
        assert!((grid.start() - 550.0).abs() < 0.001);
        let said = |values: &str| range(matrix(values).as_bytes(), grid);
        let found = said(r#"[550,"0.1"],[850,"NaN"],[1000.001,"0.4"]"#);
        assert_eq!(found, Ok(vec![Some(0.1), None, None, Some(0.4)]));
        assert_eq!(
            said(r#"[550,"0.1"]"#),
            Err("the query finds nothing now".into())
        );
        assert_eq!(
            said(r#"[550,"1"],[1000,"NaN"]"#),
            Err("the query gives NaN".into())
        );
        let empty = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
        let none = Err("the query finds nothing".into());
        assert_eq!(range(empty.as_bytes(), grid), none);
    }

    #[test]
    fn whole_units() {
        assert_eq!(whole(0.041, 1e6), Ok(41_000));
        assert_eq!(whole(0.0, 1e6), Ok(0));
        for bad in [-0.1, f64::NAN, f64::INFINITY, 1e12] {
            assert!(whole(bad, 1e6).is_err(), "{bad}");
        }
    }
}
