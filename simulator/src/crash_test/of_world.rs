//! The settings of a crash test that concern its world: invariants, copies, words.

use std::fmt::{Debug, Display};
use std::hash::Hash;

use crashpoint::State;

use crate::crash_test::{CrashTest, Mergeable};
use crate::history::{Ending, LifeEnd};

impl<S: State, W: Send + Sync + 'static> CrashTest<S, W> {
    /// Adds an invariant of the world. It must hold when the run has ended: done, rolled back or
    /// stuck. It is checked after every schedule. An `Err` or a panic is a violation of the oracle
    /// `invariants`.
    pub fn invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &LifeEnd) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_after(name, holds);
        self
    }

    /// Adds an invariant of the world that depends on what went wrong in the schedule: it gets the
    /// [`Ending`] in place of the outcome. Everything else is as with [`invariant`](Self::invariant).
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use std::sync::Arc;
    ///
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    /// use crashpoint_simulator::crash_test_in;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Mail {
    ///     Send,
    ///     Sent,
    /// }
    ///
    /// /// The number of requests to a mail server that keeps no keys.
    /// type Server = Mutex<usize>;
    ///
    /// crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |_: Ctx| {
    ///         *server.lock().unwrap() += 1;
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// })
    /// .ending_invariant("a mail is sent twice only if something went wrong", |server, ending| {
    ///     match *server.lock().unwrap() {
    ///         0 | 1 => Ok(()),
    ///         _ if !ending.is_calm() => Ok(()),
    ///         sent => Err(format!("{sent} mails were sent")),
    ///     }
    /// })
    /// .run();
    /// ```
    pub fn ending_invariant<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W, &Ending<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_at_the_end(name, holds);
        self
    }

    /// Adds an invariant of the world that must hold at every instant: at each crash point, and wherever a
    /// task waits. What a task does between two awaits is not seen from outside. An `Err` or a panic is a
    /// violation of the oracle `invariants`, and a line of the timeline says at which instant.
    ///
    /// `holds` is called in the middle of the tasks' work. It must not wait for a lock that a task holds
    /// over an await.
    pub fn always<E: Display>(
        mut self,
        name: &str,
        holds: impl Fn(&W) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.settings.holds_always(name, holds);
        self
    }

    /// Continues crashes that leave equal states only once, with a world that says by itself whether it is
    /// equal to another and copies itself: a lock around a value that is `Clone` and `Hash`.
    /// [`fingerprint`](Self::fingerprint) is for every other world, and has the conditions.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    /// use crashpoint_simulator::crash_test_in;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Mail {
    ///     Send,
    ///     Sent,
    /// }
    ///
    /// /// The keys of what was sent.
    /// type Server = Mutex<Vec<String>>;
    ///
    /// let test = crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |ctx: Ctx| {
    ///         server.lock().unwrap().push(ctx.idempotency_key());
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// });
    /// assert!(test.merges_worlds().run().merged > 0);
    /// ```
    pub fn merges_worlds(mut self) -> Self
    where
        W: Mergeable,
    {
        self.settings.merges(W::fingerprint, W::copy);
        self
    }

    /// Continues crashes that leave equal states only once. It needs a `fingerprint` of every part
    /// of the world that makes a difference, and a deep `copy` of the world: a copy must not share
    /// anything with the original, such as an `Arc`. Without this every schedule runs from its
    /// start, which is usually too slow for more than two crashes.
    ///
    /// Everything that the tasks act on must be in the world; nothing else that a closure captures
    /// is copied. Both functions are called in the middle of the tasks' work, at any await.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    ///
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    /// use crashpoint_simulator::crash_test_in;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Mail {
    ///     Send,
    ///     Sent,
    /// }
    ///
    /// /// The keys of what was sent.
    /// type Server = Mutex<Vec<String>>;
    ///
    /// let test = crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |ctx: Ctx| {
    ///         server.lock().unwrap().push(ctx.idempotency_key());
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// });
    /// let findings = test
    ///     .fingerprint(
    ///         |server| server.lock().unwrap().clone(),
    ///         |server| Mutex::new(server.lock().unwrap().clone()),
    ///     )
    ///     .crashes(3)
    ///     .run();
    /// assert!(findings.merged > 0);
    /// ```
    pub fn fingerprint<H: Hash>(
        mut self,
        fingerprint: impl Fn(&W) -> H + Send + Sync + 'static,
        copy: impl Fn(&W) -> W + Send + Sync + 'static,
    ) -> Self {
        self.settings.merges(fingerprint, copy);
        self
    }

    /// Shows the world by its `Debug`: at the end of a failure's story, and line by line where two runs of
    /// the same schedule leave different worlds. That is how nondeterminism is found which reaches the
    /// world alone: the order of a `HashSet`, a date, a random id, a counter in a static. With a
    /// [`fingerprint`](Self::fingerprint) the fingerprints are compared, with or without this.
    ///
    /// The `Debug` of a `HashMap` has another order each time. A world that has one needs a `BTreeMap`
    /// in its place.
    ///
    /// ```should_panic
    /// use std::collections::HashSet;
    /// use std::sync::{Arc, Mutex};
    ///
    /// use crashpoint::{Ctx, State, TaskError, Workflow};
    /// use crashpoint_simulator::crash_test_in;
    ///
    /// #[derive(Clone, Copy, Debug, PartialEq, Eq, State)]
    /// enum Mail {
    ///     Send,
    ///     Sent,
    /// }
    ///
    /// /// The addresses, in the order in which they got a mail.
    /// type Server = Mutex<Vec<u32>>;
    ///
    /// // The order of a set is another one in each run: the test fails as not deterministic.
    /// crash_test_in(Server::default, Mail::Send, &(), |_, server: &Arc<Server>| {
    ///     let server = Arc::clone(server);
    ///     let send = move |_: Ctx| {
    ///         let addresses: HashSet<u32> = (0..100).collect();
    ///         server.lock().unwrap().extend(addresses);
    ///         async { Ok::<_, TaskError>(Mail::Sent) }
    ///     };
    ///     Workflow::builder("mail", 1)
    ///         .task(Mail::Send, "send", send)
    ///         .exit(Mail::Sent)
    ///         .build()
    ///         .unwrap()
    /// })
    /// .show_world()
    /// .run();
    /// ```
    pub fn show_world(mut self) -> Self
    where
        W: Debug,
    {
        self.settings.watched.show_by_debug();
        self
    }
}
