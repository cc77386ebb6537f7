//! Process groups: a server with all its processes, which ends as one.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command},
    sync::{Mutex, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use crate::process::INTERRUPTED;

/// How long a group may take to end by itself. A runtime may ignore a polite request for minutes after a load.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is to end when this process is interrupted.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A process group of its own; ends when dropped, and when this process is interrupted.
pub struct Group {
    id: Pid,
    members: Vec<Child>,
}

impl Group {
    /// Starts `command` as the leader of a new group.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        end_all_when_interrupted()?;
        // Locked meanwhile, so that an interruption finds it in the list.
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        let leader = spawn(command, 0)?;
        let id = Pid::from_raw(leader.id().cast_signed());
        running.push(id);
        Ok(Self { id, members: vec![leader] })
    }

    /// Starts `command` in the group too.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn join(&mut self, command: &mut Command) -> Result<()> {
        self.members.push(spawn(command, self.id.as_raw())?);
        Ok(())
    }

    /// The group's id.
    pub fn id(&self) -> i32 {
        self.id.as_raw()
    }

    /// The process that was started last.
    pub fn latest(&mut self) -> Option<&mut Child> {
        self.members.last_mut()
    }

    /// Whether one of those that were started has ended.
    pub fn has_ended(&mut self) -> bool {
        self.members.iter_mut().any(|member| !matches!(member.try_wait(), Ok(None)))
    }

    /// Kills it as a crash would.
    ///
    /// # Errors
    /// Where it is gone already.
    pub fn kill(&self) -> Result<()> {
        Ok(killpg(self.id, Signal::SIGKILL)?)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = killpg(self.id, Signal::SIGTERM);
        let until = Instant::now() + PATIENCE;
        let running = |member: &mut Child| matches!(member.try_wait(), Ok(None));
        while Instant::now() < until && self.members.iter_mut().any(running) {
            thread::sleep(Duration::from_millis(50));
        }
        // What they started in their turn may still be there.
        let _ = self.kill();
        for member in &mut self.members {
            let _ = member.wait();
        }
        RUNNING.lock().unwrap_or_else(PoisonError::into_inner).retain(|id| *id != self.id);
    }
}

fn spawn(command: &mut Command, group: i32) -> Result<Child> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.process_group(group).spawn().with_context(|| format!("could not start `{program}`"))
}

/// Ctrl-C reaches this process, but not the groups that it started.
fn end_all_when_interrupted() -> Result<()> {
    static PREPARED: OnceLock<()> = OnceLock::new();
    if PREPARED.set(()).is_ok() {
        ctrlc::set_handler(|| {
            for group in RUNNING.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                let _ = killpg(*group, Signal::SIGKILL);
            }
            std::process::exit(INTERRUPTED);
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{BufRead, BufReader},
        process::Stdio,
    };

    use super::*;

    #[test]
    fn a_process_that_a_member_started_ends_with_the_group() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 60 & echo $!; wait"]).stdout(Stdio::piped());
        let mut group = Group::start(&mut shell).unwrap();
        let output = group.latest().unwrap().stdout.take().unwrap();
        let sleeper = BufReader::new(output).lines().next().unwrap().unwrap();
        let runs = || {
            let stat = fs::read_to_string(format!("/proc/{sleeper}/stat")).unwrap_or_default();
            // Ended ones may stand there until somebody asks.
            stat.rsplit_once(')').is_some_and(|(_, fields)| !fields.starts_with(" Z"))
        };
        assert!(runs());
        drop(group);
        // A kill is an order: it is carried out a moment later.
        let until = Instant::now() + PATIENCE;
        while runs() && Instant::now() < until {
            thread::sleep(Duration::from_millis(5));
        }
        assert!(!runs());
    }
}
