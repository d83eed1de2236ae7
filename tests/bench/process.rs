//! What the system says of a running program.

use std::time::Duration;

/// Resident memory in MiB.
pub fn memory(process_id: u32) -> f64 {
    let status = read(process_id, "status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// Processor time of its living threads so far, in the nanoseconds of the scheduler.
pub fn processor(process_id: u32) -> Duration {
    let schedule: u64 = std::fs::read_dir(format!("/proc/{process_id}/task"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(schedule)
}

fn read(process_id: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{process_id}/{file}")).unwrap_or_default()
}
