//! A child whose system calls are seen before they take effect, and may come to nothing.
//!
//! By ptrace: it needs no privilege for a child of one's own, sees every thread, and its interface is
//! safe Rust. The whole tracing happens on the thread of the law. What goes by way of memory that is
//! mapped to a file, or of a ring that the kernel reads, is not seen.

mod faults;
mod kill;
mod syncs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::case::Blame;
use crate::child::Running;
use crate::finding::expect::Failure;

pub(crate) use self::faults::{Fault, Faulty, run_with_a_fault};
pub(crate) use self::kill::{End, kill_at};
pub(crate) use self::syncs::{Seen, watch_syncs};

/// What a system call does to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Write,
    Sync,
    /// Changes a name.
    Name,
}

macro_rules! calls {
    ($($name:literal = $number:ident $does:ident,)*) => {
        /// The calls that change what a file system holds.
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

/// Standard output, on which the child tells.
const OUT: u64 = 1;
const ERR: u64 = 2;

/// A call that a thread of the child is about to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) does: Does,
    /// Its first argument: a descriptor, for those that have one.
    first: u64,
    child: Pid,
}

impl Call {
    /// The path of the file that a call with a descriptor is about.
    fn path(&self) -> Option<PathBuf> {
        std::fs::read_link(self.link()).ok()
    }

    /// What the descriptor leads to, whatever its name is by now.
    fn link(&self) -> PathBuf {
        Path::new("/proc")
            .join(self.child.to_string())
            .join("fd")
            .join(self.first.to_string())
    }
}

/// What is to become of a call.
pub(crate) enum Action {
    GoOn,
    /// The child is killed, and the call is not made.
    Kill,
    /// The call is not made and answers this error.
    Fail(Errno),
}

/// Who looks on.
pub(crate) trait Watch {
    fn before(&mut self, call: &Call) -> Action;

    /// The child tells something, for the n-th time since it went on, counted from 0.
    fn on_message(&mut self, nth: u64) {
        let _ = nth;
    }
}

/// Lets a child that stands ready go on, until it has ended.
fn follow(running: &mut Running<'_>, watch: &mut dyn Watch) -> Result<(), Failure> {
    let child = Pid::from_raw(running.id().cast_signed());
    seize(child)?;
    running.go()?;
    running
        .case
        .progress
        .step(Blame::Store, "a child process whose system calls are seen");
    let mut tracer = Tracer {
        child,
        messages: 0,
        failing: BTreeMap::new(),
    };
    loop {
        // This thread's own children and no others: tests run beside each other in one process.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let status = match waitpid(None, Some(flags)) {
            Ok(status) => status,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(()),
            Err(error) => return Err(Failure::Harness(format!("waiting for a child: {error}"))),
        };
        running.case.progress.beat();
        let (thread, signal) = match status {
            WaitStatus::PtraceSyscall(thread) => {
                if !tracer.at_a_call(thread, watch)? {
                    continue;
                }
                (thread, None)
            }
            // The tracer's own traps are not the child's to hear of.
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

/// Begins to trace every thread that the child has; those that it starts come by themselves.
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
        ptrace::seize(thread, options).map_err(|error| not_run(&error))?;
        ptrace::interrupt(thread).map_err(|error| not_run(&error))?;
    }
    Ok(())
}

struct Tracer {
    child: Pid,
    messages: u64,
    /// Threads in a call that is not made, with what it is to answer.
    failing: BTreeMap<Pid, Errno>,
}

impl Tracer {
    /// A thread stands before or after a call; whether it is to go on.
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
                // At the entry of a call that is not made any more.
                tolerant(nix::sys::signal::kill(self.child, Signal::SIGKILL))?;
                return Ok(false);
            }
            Action::Fail(errno) => {
                change(thread, |registers| registers.orig_rax = u64::MAX)?;
                self.failing.insert(thread, errno);
            }
        }
        Ok(true)
    }

    /// The call that a thread is about to make, where it changes what a file system holds.
    fn entered(&mut self, thread: Pid, watch: &mut dyn Watch) -> Option<Call> {
        let registers = ptrace::getregs(thread).ok()?;
        let (number, first) = (registers.orig_rax.cast_signed(), registers.rdi);
        let known = CALLS.iter().find(|(_, known, _)| *known == number);
        let &(name, _, does) = known?;
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
            child: self.child,
        })
    }
}

fn change(thread: Pid, to: impl FnOnce(&mut libc::user_regs_struct)) -> Result<(), Failure> {
    let changed = ptrace::getregs(thread).and_then(|mut registers| {
        to(&mut registers);
        ptrace::setregs(thread, registers)
    });
    tolerant(changed)
}

/// A thread may have died at another's hands since.
fn tolerant(done: nix::Result<()>) -> Result<(), Failure> {
    match done {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(Failure::Harness(format!("tracing a child: {error}"))),
    }
}
