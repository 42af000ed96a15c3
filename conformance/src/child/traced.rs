//! A child whose system calls are seen, and which is killed at one of them before it takes effect.
//!
//! By ptrace: it needs no privilege for a child of one's own, sees every thread, and its interface is
//! safe Rust. The whole tracing happens on the thread of the law.

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::case::Blame;
use crate::child::{Running, Told};
use crate::expect::{Failure, broken};

/// A system call that changes what a file system holds.
macro_rules! changing {
    ($($name:literal = $number:ident,)*) => {
        const CHANGING: &[(&str, i64)] = &[$(($name, libc::$number),)*];
    };
}

changing! {
    "write" = SYS_write,
    "pwrite64" = SYS_pwrite64,
    "writev" = SYS_writev,
    "pwritev" = SYS_pwritev,
    "fsync" = SYS_fsync,
    "fdatasync" = SYS_fdatasync,
    "msync" = SYS_msync,
    "sync_file_range" = SYS_sync_file_range,
    "ftruncate" = SYS_ftruncate,
    "fallocate" = SYS_fallocate,
    "renameat" = SYS_renameat,
    "renameat2" = SYS_renameat2,
    "unlinkat" = SYS_unlinkat,
    "linkat" = SYS_linkat,
    "mkdirat" = SYS_mkdirat,
    "rename" = SYS_rename,
    "unlink" = SYS_unlink,
    "link" = SYS_link,
    "mkdir" = SYS_mkdir,
    "rmdir" = SYS_rmdir,
}

/// Standard output and standard error: what is written there is no file of the store's.
const STREAMS: [u64; 2] = [1, 2];

/// How a traced child came to its end.
pub(crate) enum End {
    /// Killed at this system call, when so many steps had been acknowledged.
    Killed { call: &'static str, steps: u64 },
    /// It had fewer system calls than that.
    Whole,
}

/// Lets a child that stands ready go on, and kills it when it is about to do its system call number
/// `fatal`, counted from 0 among those that change what a file system holds.
pub(crate) fn kill_at(mut running: Running<'_>, fatal: usize) -> Result<End, Failure> {
    let child = Pid::from_raw(running.id().cast_signed());
    seize(child)?;
    running.go()?;
    let step = format!("a child process that is killed at system call {fatal}");
    running.case.progress.step(Blame::Store, &step);
    let killed_at = follow(&running, child, fatal)?;
    let mut steps = 0;
    let mut ended = false;
    while let Ok(told) = running.told.recv() {
        match told {
            Told::Acknowledged(step) => steps = step + 1,
            Told::Ended => ended = true,
            Told::Ready => {}
            Told::Refused(message) => {
                return Err(broken(format!("in a child process: {message}")));
            }
        }
    }
    match killed_at {
        Some(call) => Ok(End::Killed { call, steps }),
        None if ended => Ok(End::Whole),
        None => Err(running.no_sign()),
    }
}

/// Begins to trace every thread that the child has; those that it starts come by themselves.
fn seize(child: Pid) -> Result<(), Failure> {
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    let folder = format!("/proc/{child}/task");
    let threads = std::fs::read_dir(folder).map_err(|error| not_run(&error))?;
    for thread in threads {
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

fn not_run(error: &dyn std::fmt::Display) -> Failure {
    Failure::NotRun(format!("a child process can't be traced: {error}"))
}

/// Goes from stop to stop; the name of the call at which the child was killed.
fn follow(
    running: &Running<'_>,
    child: Pid,
    fatal: usize,
) -> Result<Option<&'static str>, Failure> {
    let mut count = 0;
    let mut killed_at = None;
    loop {
        // This thread's own children and no others: tests run beside each other in one process.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let status = match waitpid(None, Some(flags)) {
            Ok(status) => status,
            Err(Errno::EINTR) => continue,
            Err(Errno::ECHILD) => return Ok(killed_at),
            Err(error) => return Err(Failure::Harness(format!("waiting for a child: {error}"))),
        };
        running.case.progress.beat();
        let (thread, signal) = match status {
            WaitStatus::PtraceSyscall(thread) => {
                if killed_at.is_none()
                    && let Some(call) = changing_call(thread)
                {
                    if count == fatal {
                        // At the entry: the call is not made any more.
                        killed_at = Some(call);
                        let killed = nix::sys::signal::kill(child, Signal::SIGKILL);
                        killed.map_err(|error| {
                            Failure::Harness(format!("the child can't be killed: {error}"))
                        })?;
                        continue;
                    }
                    count += 1;
                }
                (thread, None)
            }
            // The tracer's own traps are not the child's to hear of.
            WaitStatus::Stopped(thread, Signal::SIGTRAP)
            | WaitStatus::PtraceEvent(thread, _, _) => (thread, None),
            WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
            WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, _, _) => {
                if thread == child {
                    return Ok(killed_at);
                }
                continue;
            }
            _ => continue,
        };
        // A thread may have died at another's hands since.
        match ptrace::syscall(thread, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => return Err(Failure::Harness(format!("tracing a child: {error}"))),
        }
    }
}

/// The call that a thread is about to make, where it changes what a file system holds.
fn changing_call(thread: Pid) -> Option<&'static str> {
    let info = ptrace::syscall_info(thread).ok()?;
    if info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    let registers = ptrace::getregs(thread).ok()?;
    let (number, first) = (registers.orig_rax.cast_signed(), registers.rdi);
    let (name, _) = CHANGING.iter().find(|(_, known)| *known == number)?;
    let to_stream = name.contains("write") && STREAMS.contains(&first);
    (!to_stream).then_some(*name)
}
