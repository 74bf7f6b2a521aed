//! What every process tells, under the names that Prometheus has set for it.
//!
//! The crate's own collector reads `/proc/stat` for the start, which the unit's `ProcSubset=pid` hides, counts whole
//! seconds of CPU time, and brings a second rustix.

use std::fs;

use actors::model::Timestamp;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Error, Gauge, Registry};
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Reads this process at each scrape. What cannot be read is left out.
struct Process {
    started_at: Gauge,
    cpu: Counter,
    resident: Gauge,
    open_files: Gauge,
    max_files: Gauge,
}

pub(super) fn register(registry: &Registry, started_at: Timestamp) -> Result<(), Error> {
    let process = Process {
        started_at: Gauge::new("process_start_time_seconds", "When the process started, in seconds since 1970.")?,
        cpu: cpu_seconds()?,
        resident: Gauge::new("process_resident_memory_bytes", "Memory that the process has in RAM in bytes.")?,
        open_files: Gauge::new("process_open_fds", "Files and sockets that are open.")?,
        max_files: Gauge::new("process_max_fds", "Files and sockets that may be open.")?,
    };
    process.started_at.set(started_at.since(Timestamp::default()).as_secs_f64());
    registry.register(Box::new(process))
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        let gauges = [&self.started_at, &self.resident, &self.open_files, &self.max_files];
        gauges.into_iter().flat_map(Gauge::desc).chain(self.cpu.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let told = [
            (&self.started_at, Some(self.started_at.get())),
            (&self.resident, resident_bytes()),
            (&self.open_files, open_files()),
            (&self.max_files, max_files()),
        ];
        let gauges = told.into_iter().filter_map(|(gauge, value)| {
            gauge.set(value?);
            Some(gauge.collect())
        });
        gauges.chain(cpu()).flatten().collect()
    }
}

fn cpu_seconds() -> Result<Counter, Error> {
    Counter::new("process_cpu_seconds_total", "CPU time that the process has taken in seconds.")
}

/// A counter for each scrape, since one can only be told what to add: two scrapes at once would add it twice.
fn cpu() -> Option<Vec<MetricFamily>> {
    let counter = cpu_seconds().ok()?;
    let taken = clock_gettime(ClockId::ProcessCPUTime);
    counter.inc_by(taken.tv_sec as f64 + taken.tv_nsec as f64 / 1e9);
    Some(counter.collect())
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.strip_suffix("kB"))?;
    Some(kilobytes.trim().parse::<f64>().ok()? * 1024.0)
}

fn open_files() -> Option<f64> {
    // The folder itself is open while it is read.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

fn max_files() -> Option<f64> {
    Some(getrlimit(Resource::Nofile).current? as f64)
}
