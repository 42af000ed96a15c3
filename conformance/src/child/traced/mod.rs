//! Traces the system calls of a child before they take effect, and can suppress them.
//!
//! It uses ptrace, which needs no privilege for an own child, sees every thread and has a safe Rust
//! interface. All tracing happens on the thread of the law. Writes through memory that is mapped to a
//! file, or through `io_uring`, are not seen.

mod disk;
mod durable;
mod faults;
mod held;
mod kill;
mod power;
mod syncs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::case::Blame;
use crate::child::Running;
use crate::finding::expect::Failure;

pub(crate) use self::faults::{FailedCall, Fault, Faulty, run_with_a_fault};
pub(crate) use self::held::{Shown, hold_syncs};
pub(crate) use self::kill::{Course, End, kill_at, survey};
pub(crate) use self::power::{Image, Moments, lose_power};
pub(crate) use self::syncs::{LastSync, Seen, watch_syncs};

/// The effect of a system call on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Write,
    Sync,
    /// Changes a name.
    Name,
}

macro_rules! calls {
    ($($name:literal = $number:ident $does:ident,)*) => {
        /// The calls that change a file system.
        const CALLS: &[(&str, i64, Does)] = &[$(($name, libc::$number, Does::$does),)*];
    };
}

calls! {
    "write" = SYS_write Write,
    "pwrite64" = SYS_pwrite64 Write,
    "writev" = SYS_writev Write,
    "pwritev" = SYS_pwritev Write,
    "ftruncate" = SYS_ftruncate Write,
    "fallocate" = SYS_fallocate Write,
    "fsync" = SYS_fsync Sync,
    "fdatasync" = SYS_fdatasync Sync,
    "msync" = SYS_msync Sync,
    "syncfs" = SYS_syncfs Sync,
    "renameat" = SYS_renameat Name,
    "renameat2" = SYS_renameat2 Name,
    "unlinkat" = SYS_unlinkat Name,
    "linkat" = SYS_linkat Name,
    "mkdirat" = SYS_mkdirat Name,
    "rename" = SYS_rename Name,
    "unlink" = SYS_unlink Name,
    "link" = SYS_link Name,
    "mkdir" = SYS_mkdir Name,
    "rmdir" = SYS_rmdir Name,
}

/// Standard output, on which the child sends messages.
const OUT: u64 = 1;
const ERR: u64 = 2;

/// A call that a thread of the child is about to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) does: Does,
    /// Its first argument, which is the descriptor if the call has one.
    first: u64,
    /// Its third argument: the bytes of a write, or the buffers of a write of several.
    third: u64,
    child: Pid,
}

impl Call {
    /// Whether the call can write a part of what it is asked to.
    fn has_halves(&self) -> bool {
        let writes = matches!(self.name, "write" | "pwrite64" | "writev" | "pwritev");
        writes && self.third > 1
    }

    /// The path of the file that the call's descriptor refers to.
    fn path(&self) -> Option<PathBuf> {
        std::fs::read_link(self.link()).ok()
    }

    /// The link to the file of the descriptor, whatever its name is now.
    fn link(&self) -> PathBuf {
        Path::new("/proc")
            .join(self.child.to_string())
            .join("fd")
            .join(self.first.to_string())
    }
}

/// What happens to a call.
pub(crate) enum Action {
    GoOn,
    /// The child is killed before the call.
    Kill,
    /// The call is suppressed and returns this error.
    Fail(Errno),
    /// The call writes only the first half of its bytes, or of its buffers.
    Halve,
    /// The call waits until [`Watch::lets_go`].
    Hold,
}

/// An observer of the calls.
pub(crate) trait Watch {
    fn before(&mut self, call: &Call) -> Action;

    /// The child writes to standard output for the n-th time since it continued, counted from 0.
    fn on_message(&mut self, nth: u64) {
        let _ = nth;
    }

    /// Whether a held call goes on. `idle_looks`: at how many looks in a row no thread of the child was running.
    fn lets_go(&mut self, idle_looks: u32) -> bool {
        let _ = idle_looks;
        true
    }
}

/// Lets a ready child continue until it has ended.
fn follow(running: &mut Running<'_>, watch: &mut dyn Watch) -> Result<(), Failure> {
    let child = Pid::from_raw(running.id().cast_signed());
    seize(child)?;
    running.go()?;
    running.case.progress.step(
        Blame::Store,
        "a child process whose system calls are traced",
    );
    let mut tracer = Tracer {
        child,
        messages: 0,
        failing: BTreeMap::new(),
        held: None,
        idle_looks: 0,
    };
    loop {
        // Only children of this thread: tests run beside each other in one process.
        let mut flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        if tracer.held.is_some() {
            flags |= WaitPidFlag::WNOHANG;
        }
        let status = match waitpid(None, Some(flags)) {
            Ok(WaitStatus::StillAlive) => {
                tracer.look();
                tracer.let_go(watch)?;
                continue;
            }
            Ok(status) => status,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(()),
            Err(error) => return Err(Failure::Harness(format!("waiting for a child: {error}"))),
        };
        running.case.progress.beat();
        tracer.idle_looks = 0;
        tracer.let_go(watch)?;
        let (thread, signal) = match status {
            WaitStatus::PtraceSyscall(thread) => {
                if !tracer.at_a_call(thread, watch)? {
                    continue;
                }
                (thread, None)
            }
            // Traps of the tracer are not passed on to the child.
            WaitStatus::Stopped(thread, Signal::SIGTRAP)
            | WaitStatus::PtraceEvent(thread, _, _) => (thread, None),
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
            WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, _, _) => {
                if thread == child {
                    return Ok(());
                }
                continue;
            }
            _ => continue,
        };
        tolerant(ptrace::syscall(thread, signal))?;
    }
}

/// Begins to trace every thread of the child; threads that it starts later are traced automatically.
fn seize(child: Pid) -> Result<(), Failure> {
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    let not_run = |error: &dyn std::fmt::Display| {
        Failure::NotRun(format!("a child process can't be traced: {error}"))
    };
    let threads = std::fs::read_dir(format!("/proc/{child}/task"));
    for thread in threads.map_err(|error| not_run(&error))? {
        let name = thread.map_err(|error| not_run(&error))?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let thread = Pid::from_raw(id);
        match ptrace::seize(thread, options).and_then(|()| ptrace::interrupt(thread)) {
            // The thread has ended since it was listed.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(not_run(&error)),
        }
    }
    Ok(())
}

struct Tracer {
    child: Pid,
    messages: u64,
    /// Threads in a suppressed call, with the error that it returns.
    failing: BTreeMap<Pid, Errno>,
    /// A thread that is held before its call.
    held: Option<Pid>,
    idle_looks: u32,
}

impl Tracer {
    /// Handles a thread before or after a call, and returns whether it continues.
    fn at_a_call(&mut self, thread: Pid, watch: &mut dyn Watch) -> Result<bool, Failure> {
        let Ok(info) = ptrace::syscall_info(thread) else {
            return Ok(true);
        };
        if info.op == libc::PTRACE_SYSCALL_INFO_EXIT {
            if let Some(errno) = self.failing.remove(&thread) {
                let answer = |registers: &mut libc::user_regs_struct| {
                    registers.rax = i64::from(-(errno as i32)).cast_unsigned();
                };
                change(thread, answer)?;
            }
            return Ok(true);
        }
        let Some(call) = self.entered(thread, watch) else {
            return Ok(true);
        };
        match watch.before(&call) {
            Action::GoOn => {}
            Action::Kill => {
                // At the entry of the call, which never happens.
                tolerant(nix::sys::signal::kill(self.child, Signal::SIGKILL))?;
                return Ok(false);
            }
            Action::Hold => {
                assert!(self.held.is_none(), "one call is held at a time");
                self.held = Some(thread);
                self.idle_looks = 0;
                return Ok(false);
            }
            Action::Fail(errno) => {
                change(thread, |registers| registers.orig_rax = u64::MAX)?;
                self.failing.insert(thread, errno);
            }
            Action::Halve => change(thread, |registers| registers.rdx = call.third / 2)?,
        }
        Ok(true)
    }

    /// Waits a moment for the child, and looks whether one of its threads is running.
    fn look(&mut self) {
        std::thread::park_timeout(LOOK);
        let is_idle = !is_running(self.child);
        self.idle_looks = if is_idle { self.idle_looks + 1 } else { 0 };
    }

    /// Lets a held call go on, if `watch` does.
    fn let_go(&mut self, watch: &mut dyn Watch) -> Result<(), Failure> {
        if self.held.is_none() || !watch.lets_go(self.idle_looks) {
            return Ok(());
        }
        let held = self.held.take();
        held.map_or(Ok(()), |thread| tolerant(ptrace::syscall(thread, None)))
    }

    /// The call that a thread is about to make, if it changes a file system.
    fn entered(&mut self, thread: Pid, watch: &mut dyn Watch) -> Option<Call> {
        let registers = ptrace::getregs(thread).ok()?;
        let (number, first, third) = (
            registers.orig_rax.cast_signed(),
            registers.rdi,
            registers.rdx,
        );
        let known = CALLS.iter().find(|(_, known, _)| *known == number);
        let &(name, _, does) = known?;
        // Without this flag the kernel writes mapped memory back when it likes.
        if number == libc::SYS_msync && third & libc::MS_SYNC.cast_unsigned() as u64 == 0 {
            return None;
        }
        if does == Does::Write && [OUT, ERR].contains(&first) {
            if first == OUT {
                watch.on_message(self.messages);
                self.messages += 1;
            }
            return None;
        }
        Some(Call {
            name,
            does,
            first,
            third,
            child: self.child,
        })
    }
}

/// The time between two looks at a child that is held.
const LOOK: Duration = Duration::from_millis(1);

/// Whether a thread of the process runs or waits for a core.
fn is_running(process: Pid) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    let mut threads = threads.into_iter().flatten().flatten();
    threads.any(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        // The name of a thread is in parentheses, and its state comes after it.
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
        state.is_some_and(|state| state.starts_with(['R', 'D']))
    })
}

fn change(thread: Pid, to: impl FnOnce(&mut libc::user_regs_struct)) -> Result<(), Failure> {
    let changed = ptrace::getregs(thread).and_then(|mut registers| {
        to(&mut registers);
        ptrace::setregs(thread, registers)
    });
    tolerant(changed)
}

/// Ignores that the thread has died in the meantime.
fn tolerant(done: nix::Result<()>) -> Result<(), Failure> {
    match done {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(Failure::Harness(format!("tracing a child: {error}"))),
    }
}
