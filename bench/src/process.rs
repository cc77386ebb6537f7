//! What the processes of a server have used, by `/proc`.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// The kernel counts processor time in this unit, on every Linux that there is.
const TICK: Duration = Duration::from_millis(10);

/// A process group: a server with all its processes.
#[derive(Clone, Copy, Debug)]
pub struct Group(pub i32);

impl Group {
    /// User and system time so far.
    pub fn cpu(self) -> Result<Duration> {
        Ok(self.members()?.iter().map(|(_, stat)| cpu(stat)).sum())
    }

    /// Memory that is not shared with others, in bytes.
    pub fn memory(self) -> Result<u64> {
        let mut kibibytes = 0;
        for (process, _) in self.members()? {
            let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
            let own = rollup.lines().filter(|line| line.starts_with("Private_"));
            kibibytes += own.map(|line| number(line.split_whitespace().nth(1))).sum::<u64>();
        }
        Ok(kibibytes * 1024)
    }

    /// The ids of its processes, each with the fields of its `stat` behind the name.
    fn members(self) -> Result<Vec<(u32, Vec<String>)>> {
        let processes = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        // It may have ended by now.
        let stats = processes.filter_map(|process: u32| Some((process, stat(&process.to_string())?)));
        Ok(stats.filter(|(_, stat)| stat.get(2).is_some_and(|group| group.parse() == Ok(self.0))).collect())
    }
}

/// The same of this process.
pub fn own_cpu() -> Result<Duration> {
    Ok(cpu(&stat("self").context("no /proc/self/stat")?))
}

/// The fields of a process's `stat`, from behind its name, which may have spaces and parentheses in it.
fn stat(process: &str) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
}

/// The fields `utime` and `stime` of proc(5).
fn cpu(stat: &[String]) -> Duration {
    let ticks = number(stat.get(11)) + number(stat.get(12));
    TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}

fn number(field: Option<impl AsRef<str>>) -> u64 {
    field.and_then(|field| field.as_ref().parse().ok()).unwrap_or(0)
}
