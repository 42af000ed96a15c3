//! Crash tests over a store of the test's own: a small store that passes, and the same store with defects.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use crashpoint::{
    CheckpointRow, CheckpointStore, Ctx, Error, ScopeId, TaskError, checkpoint_store,
};
use crashpoint_simulator::{CrashTest, Fault, Group, crash_test};
use expect_test::expect;

use super::{Mail, failure, first_line, mail_workflow};

/// The rows by id and sequence, which survive a crash.
type Tables = Mutex<BTreeMap<(String, u64), CheckpointRow>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Defect {
    None,
    /// A second row of a sequence replaces the first.
    Overwrites,
    /// A row stays in the memory of the process until the next row.
    Buffers,
    /// An append waits for something that does not come.
    Waits,
    /// An append fails now and then without any reason.
    Fails,
}

/// A store as one process has it open.
struct Small {
    tables: Arc<Tables>,
    defect: Defect,
    buffer: Mutex<Vec<(String, CheckpointRow)>>,
    scope: Option<ScopeId>,
}

impl Small {
    fn open(tables: &Arc<Tables>, defect: Defect) -> Self {
        Self {
            tables: Arc::clone(tables),
            defect,
            buffer: Mutex::default(),
            scope: None,
        }
    }

    fn rows(&self) -> MutexGuard<'_, BTreeMap<(String, u64), CheckpointRow>> {
        self.tables.lock().expect("nobody panicked with it")
    }

    fn write(&self, id: &str, row: CheckpointRow) {
        self.rows().insert((id.to_owned(), row.sequence), row);
    }

    fn buffer(&self) -> MutexGuard<'_, Vec<(String, CheckpointRow)>> {
        self.buffer.lock().expect("nobody panicked with it")
    }

    fn shown(&self, id: &str) -> Vec<CheckpointRow> {
        let rows = self.rows();
        let written = rows.range((id.to_owned(), 0)..=(id.to_owned(), u64::MAX));
        let mut shown: Vec<CheckpointRow> = written.map(|(_, row)| row.clone()).collect();
        let buffer = self.buffer();
        let own = buffer.iter().filter(|(of, _)| of == id);
        shown.extend(own.map(|(_, row)| row.clone()));
        shown
    }
}

#[checkpoint_store]
impl CheckpointStore for Small {
    async fn append(&self, workflow_id: &str, row: CheckpointRow) -> Result<(), Error> {
        let taken = |row: &CheckpointRow| {
            let shown = self.shown(workflow_id);
            shown.iter().any(|other| other.sequence == row.sequence)
        };
        match self.defect {
            Defect::Waits => pending().await,
            Defect::Fails if row.sequence == 2 => return Err(Error::unavailable("no reason")),
            Defect::Overwrites => {}
            _ if taken(&row) => return Err(Error::conflict(workflow_id, row.sequence)),
            _ => {}
        }
        if self.defect == Defect::Buffers {
            let newest = vec![(workflow_id.to_owned(), row)];
            let earlier = std::mem::replace(&mut *self.buffer(), newest);
            for (id, row) in earlier {
                self.write(&id, row);
            }
        } else {
            self.write(workflow_id, row);
        }
        Ok(())
    }

    async fn load_run(&self, workflow_id: &str) -> Result<Vec<CheckpointRow>, Error> {
        Ok(self.shown(workflow_id))
    }

    async fn clear(&self, workflow_id: &str) -> Result<(), Error> {
        self.rows().retain(|(id, _), _| id != workflow_id);
        self.buffer().retain(|(id, _)| id != workflow_id);
        Ok(())
    }

    fn exclusive_scope(&self) -> Option<ScopeId> {
        self.scope.clone()
    }
}

/// A mail over the store with this defect.
fn over(defect: Defect) -> CrashTest<Mail> {
    mail().over_store(Tables::default, move |tables| Small::open(tables, defect))
}

fn mail() -> CrashTest<Mail> {
    crash_test(Mail::Send, &(), |process| {
        let process = process.clone();
        mail_workflow(move |ctx: Ctx| {
            let process = process.clone();
            async move {
                process.effect(&ctx, "send the mail", "").await;
                Ok::<_, TaskError>(Mail::Sent)
            }
        })
    })
}

/// The faults of a store happen around it. Over a store in memory, explorations also leave out schedules that
/// can't differ, and with them some points.
#[test]
fn a_small_store_passes_at_each_crash_point_of_the_store_in_memory() {
    let (own, memory) = (over(Defect::None).run(), mail().run());
    let met: BTreeSet<&str> = own.recorder.points().collect();
    let unmet: Vec<&str> = memory
        .recorder
        .points()
        .filter(|point| !met.contains(point))
        .collect();
    assert_eq!(unmet, Vec::<&str>::new());
    let fired = own.fired.keys().copied().map(Fault::group);
    let groups: Vec<Group> = fired.collect();
    for group in [Group::Crash, Group::Store, Group::Takeover, Group::Switch] {
        assert!(groups.contains(&group), "{groups:?}");
    }
}

#[test]
fn a_store_that_is_held_exclusively_passes_in_one_process() {
    let exclusive = |tables: &Arc<Tables>| Small {
        scope: Some(ScopeId::new()),
        ..Small::open(tables, Defect::None)
    };
    mail().over_store(Tables::default, exclusive).run();
    // Two runs share the process, and a crash of one is a crash of both.
    let two = mail().also(Mail::Send, &(), |_, _| {
        mail_workflow(async |_: Ctx| Ok(Mail::Sent))
    });
    let two = two.over_store(Tables::default, exclusive);
    two.crashes(1).samples(0).run();
}

#[test]
fn each_schedule_has_a_store_of_its_own() {
    let two = over(Defect::None).also(Mail::Send, &(), |_, _| {
        mail_workflow(async |_: Ctx| Ok(Mail::Sent))
    });
    two.crashes(1).samples(0).run();
}

#[test]
fn a_store_that_replaces_rows_is_caught_with_what_to_do() {
    let failed = failure(|| over(Defect::Overwrites).run());
    let head: Vec<&str> = failed.lines().take(5).collect();
    expect![[r#"
        store-keeps-rows: a load of life 2 lacks the durable row 0
        the promise: a store shows every durable row and no other, whatever crashes
        the window: life 1 has sent row 0 (the claim of the run), which is not durable yet: the append arrives twice, and the second answer counts
        what to change: the store is your own: a store that breaks its contract can break any promise, so certify it by crashpoint-conformance first
        found after 206 schedules; no fault can be left out (5 simulations)"#]].assert_eq(&head.join("\n"));
}

#[test]
fn a_store_that_acknowledges_from_memory_is_caught() {
    expect!["store-keeps-rows: a load of life 2 lacks the durable row 1"]
        .assert_eq(&first_line(|| over(Defect::Buffers).run()));
}

#[test]
fn a_store_that_waits_is_told_to_answer_at_once() {
    expect!["no-panics: life 1 panicked: append of the store under this test waits for something; such a store must answer at once"].assert_eq(&first_line(|| over(Defect::Waits).run()));
}

#[test]
fn a_store_that_fails_by_itself_is_caught() {
    expect!["store-keeps-rows: the store failed without a fault: checkpoint store: no reason"]
        .assert_eq(&first_line(|| over(Defect::Fails).run()));
}
